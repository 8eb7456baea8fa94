#pragma once
#include <stdint.h>
typedef struct {
    uint16_t revision;
    uint8_t cores;
} esp_chip_info_t;
#ifdef __cplusplus
extern "C"
#endif
    void
    esp_chip_info(esp_chip_info_t* info);
