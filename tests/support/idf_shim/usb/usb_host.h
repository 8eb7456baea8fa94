#pragma once
#include <stdint.h>

#include "esp_err.h"
#include "freertos/FreeRTOS.h"
typedef struct {
    int intr_flags;
} usb_host_config_t;
esp_err_t usb_host_install(const usb_host_config_t* config);
esp_err_t usb_host_lib_handle_events(TickType_t timeout_ticks, uint32_t* event_flags_ret);
