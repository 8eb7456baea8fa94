/* The thing's own certificate and key, in NVS; from AWS IoT's fleet provisioning at the first start. */
#pragma once

#include "esp_err.h"
#include "ota_manager.h"

/* The one that is in NVS, at once. ESP_ERR_NOT_FOUND: there is none yet. Not between ota_manager_init and _deinit. */
esp_err_t identity_recall(void);

/* The same, and where there is none gets one: needs the network, and blocks for up to half a minute. Likewise. */
esp_err_t identity_find(void);

/* NULL: there is none yet. It stays where it is. */
const ota_identity_t *identity_get(void);
