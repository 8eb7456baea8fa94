// Fleet provisioning of the C API: before there is an instance, in the caller's task.
#include <mbedtls/platform_util.h>
#include <psa/crypto.h>

#include <new>

#include "api/config_fields.hpp"
#include "api/error_map.hpp"
#include "api/instance.hpp"
#include "base/status_text.hpp"
#include "ota_manager.h"
#include "sources/aws/provisioning.hpp"
#include "wire/esp_image.hpp"

namespace ota {
namespace {

constexpr uint8_t kMaxParameters = 8;
constexpr Millis kDefaultTimeout = 120000;
static_assert(kMaxIdentityRecord <= OTA_IDENTITY_SIZE);
static_assert(!build::kAwsIot || sizeof(Provisioning) <= sizeof(Instance));

bool is_plain_text(std::string_view text, size_t longest) {
    return text.size() <= longest && std::all_of(text.begin(), text.end(), is_plain);
}

const char* check(const ota_provisioning_config_t& c) {
    if (!consists_of(text_of(c.endpoint), ".-", 253))
        return "endpoint: a host name, without https://";
    if (!consists_of(text_of(c.template_name), "_-", 36)) {
        return "template_name: 1 to 36 of a-z A-Z 0-9 _ -";
    }
    if (!consists_of(text_of(c.serial_number), ":_-", kMaxCommonName)) {
        return "serial_number: 1 to 64 of a-z A-Z 0-9 : _ -";
    }
    if (is_empty(c.claim_cert_pem) || is_empty(c.claim_key_pem)) {
        return "claim_cert_pem, claim_key_pem: needed, PEM";
    }
    if (c.parameter_count > kMaxParameters) return "parameter_count: up to 8";
    if (c.parameter_count != 0 && c.parameters == nullptr) return "parameters: as many as said";
    for (const auto& parameter : std::span(c.parameters, c.parameter_count)) {
        if (!consists_of(text_of(parameter.name), ":_-", 64) ||
            !is_plain_text(text_of(parameter.value), 256)) {
            return "parameters: names of 1 to 64 of a-z A-Z 0-9 : _ -, printable values without \" "
                   "or \\ up to 256";
        }
    }
    return nullptr;
}

class CallbackStore final : public IdentityStore {
  public:
    explicit CallbackStore(const ota_provisioning_config_t& config) : config_(config) {}
    Result<size_t> load(IdentityPlace place, MutableBytes out) override {
        size_t size = 0;
        const esp_err_t error = config_.load(static_cast<ota_identity_place_t>(place), out.data(),
                                             out.size(), &size, config_.user_data);
        if (error != ESP_OK) return kFailed;
        return size;
    }
    Status save(IdentityPlace place, Bytes bytes) override {
        const esp_err_t error = config_.save(static_cast<ota_identity_place_t>(place), bytes.data(),
                                             bytes.size(), config_.user_data);
        return error == ESP_OK ? kOkStatus : kFailed;
    }

  private:
    static constexpr Status kFailed{Code::kStorage, Origin::kPlatform};
    const ota_provisioning_config_t& config_;
};

Provisioning::Config to_config(const ota_provisioning_config_t& c,
                               std::span<const ProvisioningParameter> parameters) {
    Provisioning::Config out;
    out.endpoint = c.endpoint;
    if (c.port != 0) out.port = c.port;
    out.claim = c.serial_number;
    out.tls.ca_pem = c.root_ca_pem;
    out.tls.client_cert_pem = c.claim_cert_pem;
    out.tls.client_key_pem = c.claim_key_pem;
    out.template_name = c.template_name;
    out.serial_number = c.serial_number;
    out.parameters = parameters;
    return out;
}

template <size_t N>
void copy_out(std::string_view text, char (&out)[N]) {
    const size_t n = std::min(text.size(), N - 1);
    std::copy_n(text.begin(), n, out);
    out[n] = '\0';
}

void hand_out(const ThingIdentity& from, ota_identity_t& to) {
    copy_out(from.thing.view(), to.thing_name);
    copy_out(from.certificate.view(), to.certificate_pem);
    copy_out(from.key.view(), to.key_pem);
}

// What a device has that was provisioned before: then it needs neither claim nor network.
Status look_up(IdentityStore& store, ota_identity_t& out) {
    struct Stored {
        ThingIdentity identity;
        std::array<uint8_t, kMaxIdentityRecord> record;
    };
    static_assert(!build::kAwsIot || sizeof(Stored) <= sizeof(Instance));
    auto& stored = *new (instance_memory().data()) Stored;
    const Status loaded =
        load_identity(store, IdentityPlace::kCurrent, stored.record, stored.identity);
    if (loaded.ok()) hand_out(stored.identity, out);
    stored.~Stored();
    mbedtls_platform_zeroize(&stored, sizeof stored);
    return loaded;
}

// As the manager's: no certificate is judged at a time before this firmware was built.
TimeFloor floor_of(const Platform& platform) {
    std::array<uint8_t, layout::kImagePrefixSize> prefix;
    ImageIdentity running;
    const bool is_known =
        platform.running.read(0, prefix).ok() && parse_image_identity(prefix, running).ok();
    return {is_known ? std::max(running.built_at, kFirstBuild) : kFirstBuild, 0};
}

esp_err_t explain(Status why) {
    config_error = status_text(why);
    return why.is(Code::kTimeout) ? ESP_ERR_TIMEOUT : ESP_FAIL;
}

esp_err_t run(const Platform& platform, const ota_provisioning_config_t& config,
              IdentityStore& store, ota_identity_t& identity) {
    FixedVector<ProvisioningParameter, kMaxParameters> parameters;
    for (const auto& parameter : std::span(config.parameters, config.parameter_count)) {
        (void)parameters.push_back({parameter.name, text_of(parameter.value)});
    }
    uint32_t seed = 0;
    (void)psa_generate_random(reinterpret_cast<uint8_t*>(&seed), sizeof seed);
    auto& work = *new (instance_memory().data())
                     Provisioning(*platform.mqtt, platform.clock, floor_of(platform), store,
                                  to_config(config, {parameters.begin(), parameters.size()}));
    work.seed(seed);
    const Millis begin = platform.clock.now();
    const Millis longest = config.timeout_ms != 0 ? config.timeout_ms : kDefaultTimeout;
    Status status = work.step();
    while (status.is(Code::kTryAgain) && platform.clock.now() - begin < longest) {
        if (config.idle != nullptr) config.idle(config.user_data);
        platform.task.pause();
        status = work.step();
    }
    if (status.is(Code::kTryAgain)) {
        status = {Code::kTimeout, Origin::kSource,
                  work.why().ok() ? Detail::kNoAnswer : work.why().detail()};
    }
    if (status.ok()) hand_out(work.identity(), identity);
    work.~Provisioning();
    mbedtls_platform_zeroize(&work, sizeof work);
    return status.ok() ? ESP_OK : explain(status);
}

esp_err_t provision(const Platform& platform, const ota_provisioning_config_t& config,
                    ota_identity_t& identity) {
    CallbackStore store(config);
    const Status known = look_up(store, identity);
    if (known.ok()) return ESP_OK;
    if (!known.is(Code::kMalformed)) return explain(known);
    if (const char* error = check(config)) {
        config_error = error;
        return ESP_ERR_INVALID_ARG;
    }
    if (platform.mqtt == nullptr) return ESP_ERR_NOT_SUPPORTED;
    return run(platform, config, store, identity);
}

esp_err_t provision(const ota_provisioning_config_t& config, ota_identity_t& identity) {
    config_error = "";
    if (psa_crypto_init() != PSA_SUCCESS) return ESP_FAIL;
    if (config.load == nullptr || config.save == nullptr) {
        config_error = "load, save: needed";
        return ESP_ERR_INVALID_ARG;
    }
    Status why;
    const Platform* const platform = open_platform(why);
    if (platform == nullptr) {
        config_error = status_text(why);
        return to_esp_err(why);
    }
    const esp_err_t error = provision(*platform, config, identity);
    close_platform();
    return error;
}

}  // namespace
}  // namespace ota

extern "C" esp_err_t ota_manager_provision(const ota_provisioning_config_t* config,
                                           ota_identity_t* identity) {
    if (config == nullptr || identity == nullptr) return ESP_ERR_INVALID_ARG;
    if constexpr (!ota::build::kAwsIot) return ESP_ERR_NOT_SUPPORTED;
    using Phase = ota::LifeCycle::Phase;
    if (!ota::life.move(Phase::kNone, Phase::kOpening)) return ESP_ERR_INVALID_STATE;
    const esp_err_t error = ota::provision(*config, *identity);
    ota::life.set(Phase::kNone);
    return error;
}
