#include "api/instance.hpp"

#include <mbedtls/platform_util.h>

#include <new>

#include "api/config_check.hpp"
#include "api/config_fields.hpp"
#include "api/source_check.hpp"

namespace ota {

Instance* instance = nullptr;
LifeCycle life;
const char* config_error = "";

namespace {

alignas(Instance) std::array<unsigned char, sizeof(Instance)> storage;
// These outlive the instance: only a new boot changes them.
bool restart_due = false;
Millis trial_deadline = 0;

Settings settings_of(const Platform& p, const ota_manager_config_t& config) {
    Settings settings = to_settings(config);
    settings.erase_policy = p.erase_policy;
    settings.chip_id = p.chip_id;
    settings.chip_revision = p.chip_revision;
    settings.trial_deadline = trial_deadline;
    // Devices of a fleet that start together must not come back together.
    (void)psa_generate_random(reinterpret_cast<uint8_t*>(&settings.jitter_seed),
                              sizeof settings.jitter_seed);
    return settings;
}

FileStore* store_for(const Platform& platform, ota_source_t source) {
    return source == OTA_SOURCE_SD_CARD ? platform.sd_card : platform.usb_drive;
}

esp_err_t check(const ota_manager_config_t& config) {
    const char* error = check_config(config);
    if (error == nullptr) return ESP_OK;
    config_error = error;
    return is_supported(config.source) ? ESP_ERR_INVALID_ARG : ESP_ERR_NOT_SUPPORTED;
}

esp_err_t load_keys(const ota_manager_config_t& config, TrustStore& trusted) {
    if (config.public_key_pem == nullptr) return ESP_OK;
    const Status loaded = trusted.load_pem(config.public_key_pem);
    if (config.signatures_required > trusted.keys().size() && loaded.ok()) {
        config_error = "signatures_required: more than public_key_pem has keys";
        return ESP_ERR_INVALID_ARG;
    }
    if (loaded.ok()) return ESP_OK;
    config_error =
        "public_key_pem: PEM blocks of RSA-3072 or ECDSA P-256 public keys, at most four";
    return to_esp_err(loaded);
}

esp_err_t load_access(const ota_manager_config_t& config, BusDoors& buses) {
    buses.check.set_hmac_key(config.access_hmac_key_id);
    if (config.access_keys_pem != nullptr) {
        const Status loaded = buses.check.keys().load_pem(config.access_keys_pem);
        config_error = "access_keys_pem: PEM blocks of ECDSA P-256 public keys, at most four";
        if (!loaded.ok()) return to_esp_err(loaded);
        for (const TrustedKey& key : buses.check.keys().keys()) {
            if (key.kind != KeyKind::kEcdsaP256) return ESP_ERR_OTA_MGR_KEY;
        }
        config_error = "";
    }
    for (AccessDoor& door : buses.doors) {
        if (!buses.check.has_key()) door.remove();
    }
    return ESP_OK;
}

template <size_t kCount>
std::span<AccessDoor> doors_of(std::array<BusDoors, kCount>& buses) {
    if constexpr (kCount == 0) {
        return {};
    } else {
        return buses[0].doors;
    }
}

template <size_t kCount>
const AccessCheck* check_of(const std::array<BusDoors, kCount>& buses) {
    if constexpr (kCount == 0) {
        return nullptr;
    } else {
        return &buses[0].check;
    }
}

TaskConfig task_of(const ota_manager_config_t& config) {
    return {config.task_priority, config.task_stack_size, config.core_id};
}

}  // namespace

Instance::Instance(const Platform& p, const BootStatus& boot, const ota_manager_config_t& config)
    : platform(p),
      battery(p.clock),
      sink(config),
      task_config(task_of(with_defaults(config))),
      log(p, TimeFloor()),
      manager({p.running, p.standby, p.journal, p.boot, battery, p.clock, log.restart(), p.mailbox,
               p.signal, p.config, p.stage, p.modules, doors_of(bus_doors), check_of(bus_doors)},
              boot, settings_of(p, config), workspace),
      takes_unsigned(config.verify_signature == OTA_OFF) {
    (void)manager.add_sink(sink);
    if (build::kLog) (void)manager.add_sink(log.events());
    if (build::kCloudWatch) (void)manager.add_sink(log.metrics());
    if (p.events != nullptr) (void)manager.add_sink(*p.events);
    manager.set_settings_sink(log);
    for (auto& buses : links) buses.emplace(p, manager, bus_doors[0], config);
}

namespace {

// An empty text means the same as none.
const char* text_or_null(const char* text) {
    return text_of(text).empty() ? nullptr : text;
}

std::span<const HttpField> fields_of(const ota_https_config_t& config,
                                     std::array<HttpField, kMaxCustomFields>& out) {
    for (size_t i = 0; i < config.header_count; ++i) {
        out[i] = {config.headers[i].name, "", config.headers[i].value};
    }
    return {out.data(), config.header_count};
}

HttpsSource::Config https_config_of(const ota_https_config_t& config,
                                    std::array<HttpField, kMaxCustomFields>& fields) {
    HttpsSource::Config out;
    out.credentials = {text_of(config.basic_auth_user), text_of(config.basic_auth_pass),
                       text_of(config.bearer_token), fields_of(config, fields)};
    out.tls.ca_pem = text_or_null(config.cert_pem);
    out.tls.client_cert_pem = text_or_null(config.client_cert_pem);
    out.tls.client_key_pem = text_or_null(config.client_key_pem);
    out.tls.pinned_key_sha256 = text_or_null(config.pinned_key_sha256);
    out.max_bytes_per_day = config.max_bytes_per_day;
    out.home = text_of(config.url);
    return out;
}

constexpr char kTooMany[] = "source: at most six, four of them on cards and drives";

esp_err_t refuse_source(esp_err_t error, const char* why) {
    config_error = why;
    return error;
}

esp_err_t add_https(Instance& self, const ota_https_config_t& config) {
    if (self.platform.http == nullptr) {
        return refuse_source(ESP_ERR_NOT_SUPPORTED, "source: this platform has no HTTP client");
    }
    for (std::optional<HttpsPair>& place : self.https) {
        if (place) continue;
        HttpsPair& pair = place.emplace(self.platform, self.manager.time_floor(), config);
        (void)self.manager.add_source({&pair.channel, &pair.source, SourceKind::kHttps});
        return ESP_OK;
    }
    return refuse_source(ESP_ERR_NO_MEM, "source: one HTTPS source at most");
}

esp_err_t set_code_key(Instance& self, const ota_aws_iot_config_t& config) {
    const char* key = text_or_null(config.code_signing_key_pem);
    if (key == nullptr) return ESP_OK;
    const Status loaded = self.manager.file_signature().set_key(key);
    if (loaded.ok()) return ESP_OK;
    return refuse_source(to_esp_err(loaded),
                         "config.aws_iot.code_signing_key_pem: one PEM block of an RSA-3072 or "
                         "ECDSA P-256 public key");
}

esp_err_t add_aws_iot(Instance& self, const ota_aws_iot_config_t& config) {
    if (self.platform.mqtt == nullptr) {
        return refuse_source(ESP_ERR_NOT_SUPPORTED, "source: this platform has no MQTT client");
    }
    if (self.takes_unsigned) {
        return refuse_source(ESP_ERR_INVALID_ARG,
                             "verify_signature: only HTTPS may accept unsigned images");
    }
    for (std::optional<AwsParts>& place : self.aws) {
        if (place) continue;
        if (const esp_err_t error = set_code_key(self, config); error != ESP_OK) return error;
        AwsPair& pair = place.emplace(self.platform, self.manager, config).pair;
        (void)self.manager.add_source({&pair.channel, &pair.source, SourceKind::kAwsIot});
        return ESP_OK;
    }
    return refuse_source(ESP_ERR_NO_MEM, "source: one AWS IoT source at most");
}

esp_err_t add_bus(Instance& self, ota_source_t source, const ota_source_config_t& config) {
    if (self.takes_unsigned) {
        return refuse_source(ESP_ERR_INVALID_ARG,
                             "verify_signature: only HTTPS may accept unsigned images");
    }
    for (std::optional<Links>& links : self.links) {
        const Status opened = source == OTA_SOURCE_MODBUS ? links->open_modbus(config.modbus)
                                                          : links->open_canbus(config.canbus);
        if (!opened.ok() && opened.detail() == Detail::kNone) {
            return refuse_source(opened.is(Code::kNoSpace) ? ESP_ERR_NO_MEM : ESP_ERR_NOT_SUPPORTED,
                                 "source: one of each field bus, where this platform has it");
        }
        if (!opened.ok()) return refuse_source(to_esp_err(opened), status_text(opened));
        (void)self.manager.add_source(
            {&links->pair().channel, &links->pair().source, static_cast<SourceKind>(source)});
    }
    return ESP_OK;
}

esp_err_t add_file(Instance& self, ota_source_t source, const ota_source_config_t& config) {
    FileStore* store = store_for(self.platform, source);
    if (store == nullptr) {
        return refuse_source(ESP_ERR_NOT_SUPPORTED, "source: this platform has no such medium");
    }
    if (self.takes_unsigned) {
        return refuse_source(ESP_ERR_INVALID_ARG,
                             "verify_signature: only HTTPS may accept unsigned images");
    }
    const char* path =
        source == OTA_SOURCE_SD_CARD ? config.sd_card.filepath : config.usb_drive.filepath;
    for (std::optional<FilePair>& place : self.files) {
        if (place) continue;
        FilePair& pair = place.emplace(*store, path);
        (void)self.manager.add_source(
            {&pair.channel, &pair.source, static_cast<SourceKind>(source)});
        return ESP_OK;
    }
    return refuse_source(ESP_ERR_NO_MEM, kTooMany);
}

esp_err_t add_medium(Instance& self, ota_source_t source, const ota_source_config_t& config) {
    switch (source) {
        case OTA_SOURCE_HTTPS:
            return add_https(self, config.https);
        case OTA_SOURCE_AWS_IOT:
            return add_aws_iot(self, config.aws_iot);
        case OTA_SOURCE_MODBUS:
        case OTA_SOURCE_CANBUS:
            return add_bus(self, source, config);
        default:
            return add_file(self, source, config);
    }
}

}  // namespace

namespace {

HttpTls aws_tls_of(const ota_aws_iot_config_t& config) {
    HttpTls out;
    out.ca_pem = text_or_null(config.root_ca_pem);
    out.client_cert_pem = config.device_cert_pem;
    out.client_key_pem = config.device_key_pem;
    return out;
}

// The URL is the credential: neither the thing's certificate nor anything else goes there.
HttpsSource::Config presigned_config_of(const ota_aws_iot_config_t& config) {
    HttpsSource::Config out;
    out.tls.ca_pem = text_or_null(config.root_ca_pem);
    return out;
}

HttpsSource* web_of(const Platform& platform, Manager& manager, const ota_aws_iot_config_t& config,
                    std::optional<HttpsSource>& place) {
    if (platform.http == nullptr) return nullptr;
    return &place.emplace(*platform.http, platform.clock, manager.time_floor(),
                          presigned_config_of(config));
}

}  // namespace

AwsParts::AwsParts(const Platform& platform, Manager& manager, const ota_aws_iot_config_t& config)
    : pair(*platform.mqtt, web_of(platform, manager, config, web), platform.clock,
           manager.time_floor(), manager.log(), manager,
           {config.endpoint, or_default<uint16_t>(config.port, 8883), config.thing_name,
            aws_tls_of(config), config.json_streams ? StreamForm::kJson : StreamForm::kCbor,
            config.shadow}) {
    if (config.shadow) manager.accept_settings();
    uint32_t seed = 0;
    (void)psa_generate_random(reinterpret_cast<uint8_t*>(&seed), sizeof seed);
    pair.link.seed(seed);
    pair.shadow.seed(seed ^ 0x5A5A5A5A);
}

HttpsPair::HttpsPair(const Platform& platform, const TimeFloor& floor,
                     const ota_https_config_t& config)
    : channel(config.url),
      source(*platform.http, platform.clock, floor, https_config_of(config, fields)) {}

esp_err_t add_source(Instance& self, ota_source_t source, const ota_source_config_t& config) {
    if (self.source_count == kMaxSources) return refuse_source(ESP_ERR_NO_MEM, kTooMany);
    const esp_err_t error = add_medium(self, source, config);
    if (error == ESP_OK) ++self.source_count;
    return error;
}

esp_err_t set_log(Instance& self, const ota_log_config_t& config) {
    const esp_err_t error = self.log.configure(config);
    if (error == ESP_ERR_NOT_SUPPORTED) {
        return refuse_source(error, "log: this build or platform has no such sink");
    }
    if (error == ESP_ERR_INVALID_ARG) {
        return refuse_source(error, "sd_card.directory: below the card's mount point");
    }
    if (error == ESP_ERR_INVALID_STATE) return refuse_source(error, "log: it is set already");
    return error;
}

esp_err_t set_modules(Instance& self, const ota_modules_config_t& config) {
    for (std::optional<Links>& links : self.links) {
        const Status opened = links->open_modules(config);
        if (opened.is(Code::kNoSpace)) {
            return refuse_source(ESP_ERR_INVALID_STATE, "modules: set already");
        }
        if (!opened.ok() && opened.detail() == Detail::kNone) {
            return refuse_source(ESP_ERR_NOT_SUPPORTED, "modules: this platform has no CAN bus");
        }
        if (!opened.ok()) return refuse_source(to_esp_err(opened), status_text(opened));
        const bool stops = config.stop_on_failure != OTA_OFF;
        self.manager.set_modules(*links->modules(), {config.quorum, stops});
    }
    return ESP_OK;
}

bool is_leaving(State state) {
    return state == State::kComplete || state == State::kRebooting;
}

esp_err_t open_instance(const ota_manager_config_t& config) {
    config_error = "";
    if (restart_due) return ESP_ERR_INVALID_STATE;
    if (psa_crypto_init() != PSA_SUCCESS) return ESP_FAIL;
    if (const esp_err_t error = check(config)) return error;

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
    instance = new (storage.data()) Instance(*platform, boot, config);
    if (const esp_err_t error = load_keys(config, instance->manager.trusted())) return error;
    for (BusDoors& buses : instance->bus_doors) {
        if (const esp_err_t error = load_access(config, buses)) return error;
    }
    return add_source(*instance, config.source, config.config);
}

MutableBytes instance_memory() {
    return storage;
}

void close_instance() {
    if (instance == nullptr) return;
    restart_due = restart_due || is_leaving(instance->manager.snapshot().state);
    trial_deadline = instance->manager.trial_deadline();
    instance->~Instance();
    mbedtls_platform_zeroize(storage.data(), storage.size());  // it held credentials
    instance = nullptr;
    close_platform();
}

void note_new_boot() {
    restart_due = false;
    trial_deadline = 0;
}

}  // namespace ota
