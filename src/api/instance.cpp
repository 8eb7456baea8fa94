#include "api/instance.hpp"

#include <new>

#include "api/config_check.hpp"

namespace ota {

Instance* instance = nullptr;
LifeCycle life;
const char* config_error = "";

namespace {

alignas(Instance) std::array<unsigned char, sizeof(Instance)> storage;
bool restart_due = false;  // outlives the instance: only a new boot can follow

Settings settings_of(const Platform& p, const ota_manager_config_t& config) {
    Settings settings = to_settings(config);
    settings.erase_policy = p.erase_policy;
    settings.chip_id = p.chip_id;
    settings.chip_revision = p.chip_revision;
    return settings;
}

FileStore* store_for(const Platform& platform, ota_source_t source) {
    return source == OTA_SOURCE_SD_CARD ? platform.sd_card : platform.usb_drive;
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

}  // namespace

Instance::Instance(const Platform& p, const BootStatus& boot, const ota_manager_config_t& config,
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

bool is_leaving(State state) {
    return state == State::kComplete || state == State::kRebooting;
}

esp_err_t open_instance(const ota_manager_config_t& config) {
    config_error = "";
    if (restart_due) return ESP_ERR_INVALID_STATE;
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

void note_new_boot() {
    restart_due = false;
}

}  // namespace ota
