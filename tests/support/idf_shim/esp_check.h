#pragma once
#include "esp_log.h"
#define ESP_RETURN_ON_ERROR(call, tag, ...) \
    do {                                    \
        const esp_err_t checked = (call);   \
        if (checked != ESP_OK) {            \
            ESP_LOGE(tag, __VA_ARGS__);     \
            return checked;                 \
        }                                   \
    } while (0)
#define ESP_RETURN_ON_FALSE(condition, error, tag, ...) \
    ESP_RETURN_ON_ERROR((condition) ? ESP_OK : (error), tag, __VA_ARGS__)
