#pragma once
#include "esp_app_desc.h"
#include "esp_partition.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef enum {
    ESP_OTA_IMG_PENDING_VERIFY = 0x1U,
    ESP_OTA_IMG_UNDEFINED = 0xFFFFFFFFU,
} esp_ota_img_states_t;
const esp_partition_t* esp_ota_get_running_partition(void);
esp_err_t esp_ota_get_state_partition(const esp_partition_t* partition,
                                      esp_ota_img_states_t* ota_state);
uint8_t esp_ota_get_app_partition_count(void);
esp_err_t esp_ota_get_partition_description(const esp_partition_t* partition,
                                            esp_app_desc_t* app_desc);
#ifdef __cplusplus
}
#endif
