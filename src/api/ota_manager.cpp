// The C API over one Manager. Arguments are checked here, in the caller's context; what has to
// happen is posted to the engine.
#include "ota_manager.h"

#include "api/config_check.hpp"
#include "api/instance.hpp"
#include "api/log_check.hpp"
#include "api/source_check.hpp"
#include "engine/state_machine.hpp"

namespace ota {
namespace {

using Life = LifeCycle::Phase;
constexpr Millis kMaxSleep = 1000;

bool ask_safety_callback(Phase phase, void* context) {
    const auto& safety = *static_cast<const UserSafetyCallback*>(context);
    return safety.callback(static_cast<ota_phase_t>(phase), safety.user);
}

esp_err_t post(CommandKind kind) {
    const Call call(life);
    if (!call.is_live()) return ESP_ERR_INVALID_STATE;
    if (!instance->manager.would_accept(kind)) return ESP_ERR_INVALID_STATE;
    Command command;
    command.kind = kind;
    return to_esp_err(instance->platform.mailbox.post(command));
}

// Runs change on the instance while it may be configured: between init and start.
template <typename Change>
esp_err_t configure(Change change) {
    const Call call(life);
    if (!call.is_ready()) return ESP_ERR_INVALID_STATE;
    return change(*instance);
}

// Runs read on what the engine published last.
template <typename Read>
esp_err_t look(Read read) {
    const Call call(life);
    if (!call.ok()) return ESP_ERR_INVALID_STATE;
    return read(instance->manager.snapshot());
}

void wait_until_idle(const Platform& platform) {
    while (!life.is_idle()) platform.task.pause();
}

void send_waiters_away(const Platform& platform) {
    while (life.has_waiters()) {
        platform.signal.cancel();
        platform.task.pause();
    }
}

void stop_tasks() {
    for (auto& links : instance->links) links->stop();
    instance->manager.ask_to_stop();
    instance->platform.task.join();
    instance->log.stop();  // behind the last line of the engine
}

Status start_links() {
    for (auto& links : instance->links) OTA_TRY(links->start(instance->task_config));
    return {};
}

void run_engine(void* context) {
    auto& self = *static_cast<Instance*>(context);
    self.manager.begin();
    while (self.manager.step(kMaxSleep)) {
    }
}

// The log first: the engine may restart at once.
Status start_engine() {
    OTA_TRY(instance->log.start(instance->task_config, instance->manager.time_floor()));
    const Status started =
        instance->platform.task.start(instance->task_config, run_engine, instance);
    if (!started.ok()) instance->log.stop();
    return started;
}

template <size_t N>
void copy_text(char (&out)[N], const char (&text)[N]) {
    std::memcpy(out, text, N);
}

bool report_ended(UpdateStage stage) {
    return stage == UpdateStage::kConfirmed || stage == UpdateStage::kReverted ||
           stage == UpdateStage::kKept;
}

}  // namespace
}  // namespace ota

using ota::Call;
using ota::CommandKind;
using ota::instance;
using ota::life;
using ota::Life;

extern "C" {

esp_err_t ota_manager_init(const ota_manager_config_t* config) {
    if (config == nullptr) return ESP_ERR_INVALID_ARG;
    if (!life.move(Life::kNone, Life::kOpening)) return ESP_ERR_INVALID_STATE;
    const esp_err_t error = ota::open_instance(*config);
    if (error != ESP_OK) ota::close_instance();
    life.set(error == ESP_OK ? Life::kReady : Life::kNone);
    return error;
}

const char* ota_manager_config_error(void) {
    return ota::config_error;
}

esp_err_t ota_manager_start(void) {
    if (!life.move(Life::kReady, Life::kStarting)) return ESP_ERR_INVALID_STATE;
    ota::wait_until_idle(instance->platform);  // a setter may be in progress
    esp_err_t error = ESP_ERR_INVALID_STATE;
    if (!ota::is_leaving(instance->manager.snapshot().state)) {
        error = ota::to_esp_err(instance->manager.start());
    }
    if (error != ESP_OK) {
        life.set(Life::kReady);
        return error;
    }
    life.set(Life::kLaunching);  // before the first callback can come
    error = ota::to_esp_err(ota::start_engine());
    if (error == ESP_OK) {
        error = ota::to_esp_err(ota::start_links());
        if (error == ESP_OK) {
            life.set(Life::kRunning);
            return ESP_OK;
        }
        ota::stop_tasks();
    }
    life.set(Life::kStopping);
    ota::send_waiters_away(instance->platform);
    life.set(Life::kReady);
    return error;
}

esp_err_t ota_manager_stop(void) {
    {
        const Call call(life);
        if (!call.ok() || instance->platform.task.is_current()) return ESP_ERR_INVALID_STATE;
    }
    if (!life.move(Life::kRunning, Life::kStopping)) return ESP_ERR_INVALID_STATE;
    ota::stop_tasks();
    ota::send_waiters_away(instance->platform);
    life.set(Life::kReady);
    return ESP_OK;
}

esp_err_t ota_manager_deinit(void) {
    if (!life.move(Life::kReady, Life::kClosing)) return ESP_ERR_INVALID_STATE;
    ota::wait_until_idle(instance->platform);
    ota::close_instance();
    life.set(Life::kNone);
    return ESP_OK;
}

esp_err_t ota_manager_check_for_update(void) {
    return ota::post(CommandKind::kCheck);
}
esp_err_t ota_manager_start_update(void) {
    return ota::post(CommandKind::kStartUpdate);
}
esp_err_t ota_manager_apply(void) {
    return ota::post(CommandKind::kApply);
}
esp_err_t ota_manager_abort(void) {
    return ota::post(CommandKind::kAbort);
}
esp_err_t ota_manager_confirm(void) {
    return ota::post(CommandKind::kConfirm);
}
esp_err_t ota_manager_rollback(void) {
    return ota::post(CommandKind::kRollback);
}

ota_status_t ota_manager_get_status(void) {
    ota_status_t status = OTA_STATUS_IDLE;
    (void)ota::look([&](const ota::EngineSnapshot& now) {
        status = static_cast<ota_status_t>(now.state);
        return ESP_OK;
    });
    return status;
}

esp_err_t ota_manager_get_progress(size_t* received, size_t* total) {
    if (received == nullptr || total == nullptr) return ESP_ERR_INVALID_ARG;
    return ota::look([&](const ota::EngineSnapshot& now) {
        *received = now.received;
        *total = now.total;
        return ESP_OK;
    });
}

esp_err_t ota_manager_get_last_error(ota_error_info_t* info) {
    if (info == nullptr) return ESP_ERR_INVALID_ARG;
    return ota::look([&](const ota::EngineSnapshot& now) {
        const ota::Status status = ota::Status::from_word(now.error);
        info->error = ota::to_ota_error(status);
        info->detail = status.ok() ? "" : ota::status_text(status);
        info->reading = now.reading;
        info->limit = now.limit;
        return ESP_OK;
    });
}

esp_err_t ota_manager_get_update_info(ota_update_info_t* info) {
    if (info == nullptr) return ESP_ERR_INVALID_ARG;
    return ota::look([&](const ota::EngineSnapshot& now) {
        if (now.offered_version[0] == '\0') return ESP_ERR_NOT_FOUND;
        ota::copy_text(info->version, now.offered_version);
        ota::copy_text(info->running_version, now.running_version);
        info->size = now.offered_size;
        ota::copy_text(info->notes, now.offered_notes);
        return ESP_OK;
    });
}

esp_err_t ota_manager_get_boot_status(ota_boot_status_t* status) {
    if (status == nullptr) return ESP_ERR_INVALID_ARG;
    return ota::look([&](const ota::EngineSnapshot& now) {
        status->trial = now.trial;
        status->running_slot = now.running;
        status->boot_slot = now.boot;
        status->running_state = now.running_state;
        status->paused = now.paused;
        return ESP_OK;
    });
}

esp_err_t ota_manager_get_last_report(ota_report_t* report) {
    if (report == nullptr) return ESP_ERR_INVALID_ARG;
    return ota::look([&](const ota::EngineSnapshot& now) {
        report->ended = ota::report_ended(now.report_stage);
        report->confirmed = now.report_stage == ota::UpdateStage::kConfirmed;
        report->revert_reason = static_cast<ota_revert_reason_t>(now.report_reason);
        ota::copy_text(report->version, now.report_version);
        ota::copy_text(report->probe, now.report_probe);
        report->attempt = ota::to_report(now.attempt);
        return ESP_OK;
    });
}

esp_err_t ota_manager_get_configuration(ota_configuration_t* configuration) {
    if (configuration == nullptr) return ESP_ERR_INVALID_ARG;
    const Call call(life);
    if (!call.is_live()) return ESP_ERR_INVALID_STATE;
    ota::BankContent content;
    const ota::Status status = instance->manager.configuration(content);
    if (status.is(ota::Code::kUnavailable)) return ESP_ERR_NOT_FOUND;
    if (!status.ok()) return ota::to_esp_err(status);
    configuration->size = content.size;
    std::copy(content.digest.begin(), content.digest.end(), configuration->sha256);
    return ESP_OK;
}

esp_err_t ota_manager_read_configuration(uint32_t offset, void* buffer, size_t length) {
    if (buffer == nullptr) return ESP_ERR_INVALID_ARG;
    const Call call(life);
    if (!call.is_live()) return ESP_ERR_INVALID_STATE;
    const ota::Status status =
        instance->manager.read_configuration(offset, {static_cast<uint8_t*>(buffer), length});
    return status.is(ota::Code::kUnavailable) ? ESP_ERR_NOT_FOUND : ota::to_esp_err(status);
}

esp_err_t ota_manager_wait_for_status(uint32_t mask, uint32_t timeout_ms, ota_status_t* hit) {
    if ((mask & ota::kAllStates) == 0) return ESP_ERR_INVALID_ARG;
    const Call call(life);
    if (!call.ok() || instance->platform.task.is_current()) return ESP_ERR_INVALID_STATE;
    if (!life.enter_wait()) return ESP_ERR_INVALID_STATE;
    ota::State state = ota::State::kIdle;
    const ota::StatusSignal::Outcome outcome =
        instance->platform.signal.wait(mask, timeout_ms, state);
    life.leave_wait();
    if (outcome == ota::StatusSignal::Outcome::kCancelled) return ESP_ERR_INVALID_STATE;
    if (outcome == ota::StatusSignal::Outcome::kTimeout) return ESP_ERR_TIMEOUT;
    if (hit != nullptr) *hit = static_cast<ota_status_t>(state);
    return ESP_OK;
}

esp_err_t ota_manager_set_bms_safety_thresholds(int min_soc, float max_temperature,
                                                float min_temperature, float max_current) {
    if (ota::check_thresholds(min_soc, max_temperature, min_temperature, max_current) != nullptr) {
        return ESP_ERR_INVALID_ARG;
    }
    const Call call(life);
    ota::Command command;
    command.kind = CommandKind::kSetThresholds;
    command.thresholds = ota::to_thresholds(min_soc, max_temperature, min_temperature, max_current);
    if (call.is_live()) {
        return ota::to_esp_err(instance->platform.mailbox.post(command));
    }
    if (!call.is_ready()) return ESP_ERR_INVALID_STATE;
    instance->manager.set_thresholds(command.thresholds);
    return ESP_OK;
}

esp_err_t ota_manager_set_notice_cb(ota_notice_cb_t callback, void* user_data) {
    return ota::configure([&](ota::Instance& self) {
        self.sink.set_notice(callback, user_data);
        return ESP_OK;
    });
}

esp_err_t ota_manager_set_safety_callback(ota_safety_cb_t callback, void* user_data) {
    return ota::configure([&](ota::Instance& self) {
        self.safety = {callback, user_data};
        self.manager.set_safety_callback(
            {callback == nullptr ? nullptr : ota::ask_safety_callback, &self.safety});
        return ESP_OK;
    });
}

esp_err_t ota_manager_set_battery_provider(ota_battery_provider_t provider, void* user_data) {
    if (provider == nullptr) return ESP_ERR_INVALID_ARG;
    return ota::configure([&](ota::Instance& self) {
        self.battery.set(provider, user_data);
        return ESP_OK;
    });
}

esp_err_t ota_manager_add_health_probe(const char* name, ota_health_probe_cb_t probe,
                                       void* user_data) {
    if (name == nullptr || name[0] == '\0' || probe == nullptr) return ESP_ERR_INVALID_ARG;
    return ota::configure([&](ota::Instance& self) {
        if (!self.probes.push_back(ota::CallbackProbe(name, probe, user_data))) {
            return ESP_ERR_NO_MEM;
        }
        const bool added = self.manager.add_probe(self.probes[self.probes.size() - 1]);
        return added ? ESP_OK : ESP_ERR_NO_MEM;
    });
}

esp_err_t ota_manager_add_source(ota_source_t source, const ota_source_config_t* config) {
    if (config == nullptr) return ESP_ERR_INVALID_ARG;
    return ota::configure([&](ota::Instance& self) {
        ota::config_error = "";
        if (const char* error = ota::check_source(source, *config)) {
            ota::config_error = error;
            return ota::is_supported(source) ? ESP_ERR_INVALID_ARG : ESP_ERR_NOT_SUPPORTED;
        }
        return ota::add_source(self, source, *config);
    });
}

esp_err_t ota_manager_modbus_request(const void* request, size_t size, void* response,
                                     size_t capacity, size_t* length) {
    if (request == nullptr || response == nullptr || length == nullptr || size == 0 ||
        size > ota::kModbusRequest || capacity < ota::kModbusPdu) {
        return ESP_ERR_INVALID_ARG;
    }
    const Call call(life);
    if (!call.is_live()) return ESP_ERR_INVALID_STATE;
    for (std::optional<ota::Links>& links : instance->links) {
        const ota::Bytes pdu(static_cast<const uint8_t*>(request), size);
        const ota::Result<size_t> answered =
            links->ask_modbus(pdu, {static_cast<uint8_t*>(response), capacity});
        if (answered.status().is(ota::Code::kTimeout)) return ESP_ERR_TIMEOUT;
        if (answered.status().is(ota::Code::kRefused)) return ESP_ERR_NOT_FOUND;
        if (!answered.ok()) break;
        *length = *answered;
        return ESP_OK;
    }
    return ESP_ERR_INVALID_STATE;
}

esp_err_t ota_manager_set_log(const ota_log_config_t* config) {
    if (config == nullptr) return ESP_ERR_INVALID_ARG;
    return ota::configure([&](ota::Instance& self) {
        ota::config_error = "";
        if (const char* error = ota::check_log(*config)) {
            ota::config_error = error;
            return ESP_ERR_INVALID_ARG;
        }
        return ota::set_log(self, *config);
    });
}

esp_err_t ota_manager_set_log_level(ota_log_sink_t sink, ota_log_level_t level) {
    const bool is_sink = sink >= OTA_LOG_SINK_CONSOLE && sink <= OTA_LOG_SINK_CLOUDWATCH;
    if (!is_sink || !ota::is_log_level(level)) return ESP_ERR_INVALID_ARG;
    const Call call(life);
    if (!call.ok()) return ESP_ERR_INVALID_STATE;
    return instance->log.set_level(sink, level) ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t ota_manager_set_modules(const ota_modules_config_t* config) {
    if (config == nullptr) return ESP_ERR_INVALID_ARG;
    return ota::configure([&](ota::Instance& self) {
        ota::config_error = "";
        if constexpr (!ota::build::kModules) return ESP_ERR_NOT_SUPPORTED;
        if (const char* error = ota::check_modules(*config)) {
            ota::config_error = error;
            return ESP_ERR_INVALID_ARG;
        }
        return ota::set_modules(self, *config);
    });
}
}
