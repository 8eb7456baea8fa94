/* The thing's own certificate and key, in NVS; from AWS IoT's fleet provisioning at the first start. */
#pragma once

#include "esp_err.h"
#include "ota_manager.h"

/* Blocks for up to two minutes where there is none yet, and needs the network then. Not between ota_manager_init and
 * _deinit. */
esp_err_t identity_find(void);

/* NULL: there is none yet. It stays where it is. */
const ota_identity_t *identity_get(void);
