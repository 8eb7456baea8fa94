/*
 * What the manager does, on the default event loop of ESP-IDF (CONFIG_OTA_MANAGER_EVENTS).
 *
 * For parts of the application that do not own the callbacks of ota_manager_config_t. Handlers run
 * in the loop's task; the manager does not wait for them. An event that finds the queue of the loop
 * full is left out; the states themselves are always to be had from ota_manager_get_status().
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "esp_event.h"
#include "ota_manager_types.h"

#ifdef __cplusplus
extern "C" {
#endif

ESP_EVENT_DECLARE_BASE(OTA_MANAGER_EVENT);

/* The event's id, and the type of its data. */
typedef enum {
    OTA_MANAGER_EVENT_STATUS = 0, /* ota_manager_event_status_t: a state was entered */
    OTA_MANAGER_EVENT_PROGRESS,   /* ota_manager_event_progress_t: ten a second at most */
    OTA_MANAGER_EVENT_NOTICE,     /* ota_notice_info_t */
} ota_manager_event_t;

typedef struct {
    ota_status_t status;
    ota_error_t error;
} ota_manager_event_status_t;

/* Bytes; total 0 = unknown. */
typedef struct {
    size_t received;
    size_t total;
} ota_manager_event_progress_t;

#ifdef __cplusplus
}
#endif
