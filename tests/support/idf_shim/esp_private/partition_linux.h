#pragma once
#include <stddef.h>
#include <stdint.h>
#define ESP_PARTITION_FAIL_AFTER_MODE_BOTH 0x03
#ifdef __cplusplus
extern "C"
#endif
    void
    esp_partition_fail_after(size_t count, uint8_t mode);
