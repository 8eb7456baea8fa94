/*
 * OTA manager: C API. Specification names; see docs/architecture.md for the flow.
 *
 * Calls may come from any task. All but init, start, stop, deinit and wait return at once; what
 * they ask for happens in the engine's task, in order. Power may be lost at any moment: the device
 * boots the confirmed image, and an interrupted update continues where flash ends.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "ota_manager_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The device's own identity in AWS IoT: what the store has, else by fleet provisioning, with a key
 * that is made here and never leaves the device. Before init, at each start; with an identity in
 * the store nothing else of config is needed, and it returns at once. Else it blocks, and needs a
 * network and, if it can be had, the time of day. When it fails, start the manager all the same,
 * with another source: without it no firmware is confirmed. A loss of power costs at most a
 * certificate that is never used; call again.
 * @param identity filled in when ESP_OK; the caller's to keep, and to wipe.
 * @return ESP_OK; ESP_ERR_INVALID_ARG, ESP_FAIL (ota_manager_config_error() says what, and what
 *         AWS IoT refused); ESP_ERR_TIMEOUT: try again later, ever less often;
 *         ESP_ERR_INVALID_STATE after init; ESP_ERR_NOT_SUPPORTED where this build has no MQTT.
 */
esp_err_t ota_manager_provision(const ota_provisioning_config_t* config, ota_identity_t* identity);

/**
 * Checks the configuration as a whole, copies it and prepares the engine; starts nothing.
 * @return ESP_OK; ESP_ERR_INVALID_ARG (ota_manager_config_error() names the field);
 *         ESP_ERR_INVALID_STATE when initialised already or a restart is due; ESP_ERR_NOT_SUPPORTED
 * for a source that this build leaves out; ESP_ERR_OTA_MGR_KEY; ESP_ERR_OTA_MGR_PARTITION.
 */
esp_err_t ota_manager_init(const ota_manager_config_t* config);

/** The field and rule that made the last init or add_source fail; "" after success. Never NULL. */
const char* ota_manager_config_error(void);

/**
 * Starts the engine's task: finds out what the last restart meant, begins a trial if the image is
 * new, then serves commands.
 * @return ESP_OK; ESP_ERR_INVALID_STATE before init, when running, or when a restart is due;
 *         ESP_ERR_OTA_MGR_PARTITION or ESP_ERR_OTA_MGR_IMAGE when journal or running image can't be
 *         read; ESP_ERR_NO_MEM.
 */
esp_err_t ota_manager_start(void);

/** Ends the task and waits for it. An update in progress is aborted; a later one continues it.
 *  @return ESP_OK; ESP_ERR_INVALID_STATE when not running or inside a callback. */
esp_err_t ota_manager_stop(void);

/** Releases everything. When it returns no callback runs any more.
 *  @return ESP_OK; ESP_ERR_INVALID_STATE before init, while running or inside a callback. */
esp_err_t ota_manager_deinit(void);

/**
 * Commands. @return ESP_OK when accepted; ESP_ERR_INVALID_STATE before start or in a state that
 * does not take the command; ESP_ERR_NO_MEM when too many are waiting. Outcomes arrive as events.
 */
esp_err_t ota_manager_check_for_update(
    void);                                /* rest states, CHECKING, UPDATE_AVAILABLE; no trial */
esp_err_t ota_manager_start_update(void); /* the same; checks first if nothing was found yet, and
                                             then offers reverted builds again */
esp_err_t ota_manager_apply(void);        /* READY_TO_APPLY */
esp_err_t ota_manager_abort(void);        /* CHECKING … APPLYING, not after COMPLETE */
esp_err_t ota_manager_confirm(void);      /* during a trial: keep the image now */
esp_err_t ota_manager_rollback(void);     /* back to the previous image, also after confirmation */

ota_status_t ota_manager_get_status(void); /* IDLE before start */

/** Bytes of the package; total 0 = unknown. @return ESP_OK; ESP_ERR_INVALID_ARG for NULL;
 *  ESP_ERR_INVALID_STATE before init. The getters below likewise. */
esp_err_t ota_manager_get_progress(size_t* received, size_t* total);
/** Of the last update that failed; OTA_ERR_NONE since the next check began. */
esp_err_t ota_manager_get_last_error(ota_error_info_t* info);
/** What is offered. ESP_ERR_NOT_FOUND when nothing is. */
esp_err_t ota_manager_get_update_info(ota_update_info_t* info);
esp_err_t ota_manager_get_boot_status(ota_boot_status_t* status);
/** How the latest update ended and what the latest attempt took; the same after a restart. */
esp_err_t ota_manager_get_last_report(ota_report_t* report);

/**
 * The configuration that came with the running image, or with one before it; switched with the
 * image, and back with it. At most one bank of ota_cfg long. @return ESP_OK; ESP_ERR_NOT_FOUND:
 * none; ESP_ERR_OTA_MGR_IMAGE: flash does not hold it any more; ESP_ERR_INVALID_ARG;
 * ESP_ERR_INVALID_STATE before start.
 */
esp_err_t ota_manager_get_configuration(ota_configuration_t* configuration);
/** Reads length bytes of it. Also ESP_ERR_INVALID_ARG beyond its end. Reads flash in the caller's
 *  context; its bank is not written while this image runs. */
esp_err_t ota_manager_read_configuration(uint32_t offset, void* buffer, size_t length);

/**
 * Waits until the state is in mask (OTA_STATUS_BIT), or one of them was entered since the call.
 * @param hit may be NULL. @return ESP_OK; ESP_ERR_TIMEOUT; ESP_ERR_INVALID_ARG for an empty mask;
 *         ESP_ERR_INVALID_STATE before start, inside a callback, or when the manager is stopped
 *         meanwhile.
 */
esp_err_t ota_manager_wait_for_status(uint32_t mask, uint32_t timeout_ms, ota_status_t* hit);

/**
 * Replaces the thresholds of the battery interlock; any time after init.
 * @param min_soc percent, 0…100. @param max_temperature, min_temperature °C, -40…100, min < max.
 * @param max_current A, 0…1000.
 * @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_INVALID_STATE before init; ESP_ERR_NO_MEM.
 */
esp_err_t ota_manager_set_bms_safety_thresholds(int min_soc, float max_temperature,
                                                float min_temperature, float max_current);

/**
 * Between init and start. @return ESP_OK; ESP_ERR_INVALID_STATE otherwise; ESP_ERR_INVALID_ARG for
 * NULL where a function is needed; ESP_ERR_NO_MEM when the table is full (4 probes; 6 sources with
 * that of init, 4 of them on cards and drives).
 */
esp_err_t ota_manager_set_notice_cb(ota_notice_cb_t callback, void* user_data);
/** NULL = no objection. Asked before every step of an update, after the battery. */
esp_err_t ota_manager_set_safety_callback(ota_safety_cb_t callback, void* user_data);
/** Without a provider every update is refused with OTA_ERR_BMS_UNSAFE. */
esp_err_t ota_manager_set_battery_provider(ota_battery_provider_t provider, void* user_data);
/** name: up to 24 characters, stays the caller's. */
esp_err_t ota_manager_add_health_probe(const char* name, ota_health_probe_cb_t probe,
                                       void* user_data);
/** A further place to look for updates, asked after the first. */
esp_err_t ota_manager_add_source(ota_source_t source, const ota_source_config_t* config);
/**
 * A request to a Modbus server of the application, esp-modbus for one, that may be for the update
 * block: with .modbus.shared. Ask before the server's own registers are looked at. Any task but
 * callbacks; blocks until the answer is there, up to 100 ms, and never for flash.
 * @param request PDU: function code and data, without unit and checksum (MODBUS Application
 *        Protocol V1.1b3, 4.1); not of a broadcast, which nobody answers.
 * @param capacity of response, 253 or more.
 * @return ESP_OK: *length bytes of response are the answer's PDU, which may be an exception;
 *         ESP_ERR_NOT_FOUND: it is not for the update block, answer it yourself; ESP_ERR_TIMEOUT:
 *         answer with exception 06, the master comes again; ESP_ERR_INVALID_STATE: not running, or
 *         no shared Modbus source; ESP_ERR_INVALID_ARG.
 */
esp_err_t ota_manager_modbus_request(const void* request, size_t size, void* response,
                                     size_t capacity, size_t* length);
/** The module boards that packages may bring an image for. Once; ESP_ERR_NOT_SUPPORTED where this
 * build or platform has no CAN bus; ESP_ERR_INVALID_ARG and ESP_FAIL: ota_manager_config_error().
 */
esp_err_t ota_manager_set_modules(const ota_modules_config_t* config);

/** Where log lines go besides the console. Once. ESP_ERR_NOT_SUPPORTED where this build or platform
 *  has no such sink; ESP_ERR_INVALID_ARG: ota_manager_config_error(). */
esp_err_t ota_manager_set_log(const ota_log_config_t* config);

/** Any time after init. @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_NOT_FOUND: this sink is not in
 *  use; ESP_ERR_INVALID_STATE before init. */
esp_err_t ota_manager_set_log_level(ota_log_sink_t sink, ota_log_level_t level);

/** Text of the specification; "Unknown error" for other values. Never NULL. */
const char* ota_manager_error_to_string(ota_error_t error);
const char* ota_manager_status_to_string(ota_status_t status);
const char* ota_manager_revert_reason_to_string(ota_revert_reason_t reason);
const char* ota_manager_outcome_to_string(ota_outcome_t outcome);
const char* ota_manager_component_outcome_to_string(ota_component_outcome_t outcome);
const char* ota_manager_reset_to_string(ota_reset_t reset);
const char* ota_manager_source_to_string(ota_source_t source);

#ifdef __cplusplus
}
#endif
