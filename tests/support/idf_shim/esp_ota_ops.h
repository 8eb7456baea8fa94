#pragma once
#include "esp_app_desc.h"
#include "esp_partition.h"
#ifdef __cplusplus
extern "C" {
#endif
const esp_partition_t* esp_ota_get_running_partition(void);
uint8_t esp_ota_get_app_partition_count(void);
esp_err_t esp_ota_get_partition_description(const esp_partition_t* partition,
                                            esp_app_desc_t* app_desc);
#ifdef __cplusplus
}
#endif
