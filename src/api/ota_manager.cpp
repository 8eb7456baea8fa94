// The C API over one Manager. Arguments are checked here, in the caller's context; what has to
// happen is posted to the engine.
#include "ota_manager.h"

#include <new>

#include "api/callbacks.hpp"
#include "api/config_check.hpp"
#include "api/life_cycle.hpp"
#include "api/platform.hpp"
#include "engine/state_machine.hpp"
#include "sources/file/file_channel.hpp"
#include "sources/file/file_source.hpp"

namespace ota {
namespace {

constexpr size_t kMaxProbes = 4;
constexpr Millis kMaxSleep = 1000;

// A file source with the channel that announces its files.
struct FilePair {
    FilePair(FileStore& store, const char* path) : channel(store, path), source(store) {}
    FileChannel channel;
    FileSource source;
};

struct UserSafetyCallback {
    ota_safety_cb_t callback = nullptr;
    void* user = nullptr;
};

bool ask_safety_callback(Phase phase, void* context) {
    const auto& safety = *static_cast<const UserSafetyCallback*>(context);
    return safety.callback(static_cast<ota_phase_t>(phase), safety.user);
}

// Everything between init and deinit, in one static place: no heap.
struct Instance {
    Instance(const Platform& p, const BootStatus& boot, const ota_manager_config_t& config,
             const TrustStore& trusted)
        : platform(p),
          battery(p.clock),
          sink(config),
          task_config{config.task_priority == 0 ? 5 : config.task_priority,
                      config.task_stack_size == 0 ? OTA_MANAGER_DEFAULT_TASK_STACK_SIZE
                                                  : config.task_stack_size,
                      config.core_id},
          manager({p.running, p.standby, p.journal, p.boot, battery, p.clock, p.restart, p.mailbox,
                   p.signal},
                  boot, settings_of(p, config), trusted, workspace) {
        (void)manager.add_sink(sink);
        if (p.console != nullptr) (void)manager.add_sink(*p.console);
    }

    static Settings settings_of(const Platform& p, const ota_manager_config_t& config) {
        Settings settings = to_settings(config);
        settings.erase_policy = p.erase_policy;
        settings.chip_id = p.chip_id;
        settings.chip_revision = p.chip_revision;
        return settings;
    }

    const Platform& platform;
    CallbackBattery battery;
    CallbackSink sink;
    EngineTaskConfig task_config;
    Workspace workspace;
    Manager manager;
    FixedVector<CallbackProbe, kMaxProbes> probes;
    std::array<std::optional<FilePair>, kMaxSources> sources;
    size_t source_count = 0;
    UserSafetyCallback safety;
};

alignas(Instance) std::array<unsigned char, sizeof(Instance)> storage;
Instance* instance = nullptr;  // to be used inside a Call alone
LifeCycle life;
bool restart_due = false;  // outlives the instance: only a new boot can follow
using Life = LifeCycle::Phase;
const char* config_error = "";

FileStore* store_for(const Platform& platform, ota_source_t source) {
    return source == OTA_SOURCE_SD_CARD ? platform.sd_card : platform.usb_drive;
}

esp_err_t add_source(Instance& self, ota_source_t source, const ota_source_config_t& config) {
    FileStore* store = store_for(self.platform, source);
    if (store == nullptr) {
        config_error = "source: this platform has no such medium";
        return ESP_ERR_NOT_SUPPORTED;
    }
    if (self.source_count == self.sources.size()) {
        config_error = "source: at most four";
        return ESP_ERR_NO_MEM;
    }
    const char* path =
        source == OTA_SOURCE_SD_CARD ? config.sd_card.filepath : config.usb_drive.filepath;
    FilePair& pair = self.sources[self.source_count++].emplace(*store, path);
    (void)self.manager.add_source({&pair.channel, &pair.source});
    return ESP_OK;
}

// Null and the offending field, or the trusted keys.
esp_err_t check(const ota_manager_config_t& config, TrustStore& trusted) {
    if (!is_supported(config.source)) {
        config_error = "source: left out of this build";
        return ESP_ERR_NOT_SUPPORTED;
    }
    if (const char* error = check_config(config)) {
        config_error = error;
        return ESP_ERR_INVALID_ARG;
    }
    if (config.public_key_pem == nullptr) return ESP_OK;
    const Status loaded = trusted.load_pem(config.public_key_pem);
    if (loaded.ok()) return ESP_OK;
    config_error =
        "public_key_pem: PEM blocks of RSA-3072 or ECDSA P-256 public keys, at most four";
    return to_esp_err(loaded);
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

void run_engine(void* context) {
    auto& self = *static_cast<Instance*>(context);
    self.manager.begin();
    while (self.manager.step(kMaxSleep)) {
    }
}

// A restart that was asked for is the only way on.
bool is_leaving(State state) {
    return state == State::kComplete || state == State::kRebooting;
}

esp_err_t open_instance(const ota_manager_config_t& config) {
    config_error = "";
    if (psa_crypto_init() != PSA_SUCCESS) return ESP_FAIL;
    TrustStore trusted;
    if (const esp_err_t error = check(config, trusted)) return error;

    Status why;
    const Platform* platform = open_platform(why);
    if (platform == nullptr) {
        config_error = status_text(why);
        return to_esp_err(why);
    }
    BootStatus boot;
    const Status read = platform->boot.status(boot);
    if (!read.ok()) {
        close_platform();
        return to_esp_err(read);
    }
    instance = new (storage.data()) Instance(*platform, boot, config, trusted);
    return add_source(*instance, config.source, config.config);
}

void close_instance() {
    if (instance == nullptr) return;
    restart_due = restart_due || is_leaving(instance->manager.snapshot().state);
    instance->~Instance();
    instance = nullptr;
    close_platform();
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

void note_new_boot() {
    restart_due = false;
}

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
    const esp_err_t error = ota::restart_due ? ESP_ERR_INVALID_STATE : ota::open_instance(*config);
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
    error = ota::to_esp_err(
        instance->platform.task.start(instance->task_config, ota::run_engine, instance));
    if (error == ESP_OK) {
        life.set(Life::kRunning);
        return ESP_OK;
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
    instance->manager.ask_to_stop();
    instance->platform.task.join();
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
        return ESP_OK;
    });
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
        if (!ota::is_supported(source)) {
            ota::config_error = "source: left out of this build";
            return ESP_ERR_NOT_SUPPORTED;
        }
        if (const char* error = ota::check_source(source, *config)) {
            ota::config_error = error;
            return ESP_ERR_INVALID_ARG;
        }
        return ota::add_source(self, source, *config);
    });
}
}
