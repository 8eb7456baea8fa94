// Events on ESP-IDF's default loop, as C callbacks of the manager (esp_event.h).
#pragma once

#include "ota_manager_types.h"

namespace ota::esp_events {

// Engine context. They wait up to kLongestPost for a place in the loop's queue, with progress not
// at all; what finds none is left out. Nothing happens where the application has made no loop.
void post_status(ota_status_t status, ota_error_t error, void* user);
void post_progress(size_t received, size_t total, void* user);
void post_notice(const ota_notice_info_t* info, void* user);

}  // namespace ota::esp_events
