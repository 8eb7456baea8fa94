#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#ifdef __cplusplus
extern "C" {
#endif
esp_err_t esp_efuse_update_secure_version(uint32_t secure_version);
bool esp_efuse_check_secure_version(uint32_t secure_version);
#ifdef __cplusplus
}
#endif
