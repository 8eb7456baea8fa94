#pragma once
#include <stdio.h>

#include "esp_err.h"
#define ESP_LOGI(tag, ...) ((void)(tag), (void)printf(__VA_ARGS__))
#define ESP_LOGD ESP_LOGI
#define ESP_LOGW ESP_LOGI
#define ESP_LOGE ESP_LOGI
#define ESP_LOG_NONE 0
#define esp_log_level_set(tag, level) ((void)(tag))
#define ESP_ERROR_CHECK(call) ((void)(call))
// Declared in esp_err.h; here, for tests of the specification's examples bring their own.
#ifdef __cplusplus
extern "C"
#endif
    const char*
    esp_err_to_name(esp_err_t code);
