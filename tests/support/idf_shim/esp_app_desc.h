#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct {
    uint32_t secure_version;
    char version[32];
} esp_app_desc_t;
const esp_app_desc_t* esp_app_get_description(void);
#ifdef __cplusplus
}
#endif
