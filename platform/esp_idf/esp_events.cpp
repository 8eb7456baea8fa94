#include "esp_idf/esp_events.hpp"

#include <freertos/FreeRTOS.h>

#include "ota_manager_event.h"

ESP_EVENT_DEFINE_BASE(OTA_MANAGER_EVENT);

namespace ota::esp_events {
namespace {

constexpr TickType_t kLongestPost = pdMS_TO_TICKS(100);

template <typename Data>
void post(ota_manager_event_t id, const Data& data, TickType_t longest) {
    (void)esp_event_post(OTA_MANAGER_EVENT, id, &data, sizeof data, longest);
}

}  // namespace

void post_status(ota_status_t status, ota_error_t error, void*) {
    post(OTA_MANAGER_EVENT_STATUS, ota_manager_event_status_t{status, error}, kLongestPost);
}

void post_progress(size_t received, size_t total, void*) {
    post(OTA_MANAGER_EVENT_PROGRESS, ota_manager_event_progress_t{received, total}, 0);
}

void post_notice(const ota_notice_info_t* info, void*) {
    post(OTA_MANAGER_EVENT_NOTICE, *info, kLongestPost);
}

}  // namespace ota::esp_events
