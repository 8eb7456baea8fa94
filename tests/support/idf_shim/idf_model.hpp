// What the model of ESP-IDF has in it, for the tests that use it.
#pragma once

#include <esp_app_desc.h>
#include <esp_system.h>
#include <freertos/FreeRTOS.h>

#include <string>
#include <vector>

#include "esp_partition.h"
#include "linux/flash_model.hpp"

namespace idf_model {

struct PostedEvent {
    std::string base;
    int32_t id = 0;
    std::vector<uint8_t> data;
    TickType_t longest = 0;
};

struct Chip {
    ota::FlashModel* flash = nullptr;
    std::vector<esp_partition_t> partitions;
    uint32_t running = 0;  // address of the partition that runs
    esp_reset_reason_t reset = ESP_RST_POWERON;
    esp_err_t image = ESP_OK;     // what verification finds
    esp_app_desc_t app{};         // of the running image
    esp_app_desc_t other_app{};   // of the other slots' images
    uint32_t burned_version = 0;  // in eFuses
    bool burn_fails = false;
    uint32_t delays = 0;  // of vTaskDelay
    std::vector<PostedEvent> events;
};
extern Chip chip;

}  // namespace idf_model
