#pragma once
#include <stdio.h>
#define ESP_LOGI(tag, ...) ((void)(tag), (void)printf(__VA_ARGS__))
#define ESP_LOGW ESP_LOGI
#define ESP_LOGE ESP_LOGI
#define ESP_ERROR_CHECK(call) ((void)(call))
