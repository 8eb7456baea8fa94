#pragma once
#include <stdint.h>

#include "esp_err.h"
#ifdef __cplusplus
extern "C"
#endif
    esp_err_t
    esp_efuse_update_secure_version(uint32_t secure_version);
