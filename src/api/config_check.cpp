#include "api/config_check.hpp"

#include <type_traits>

#include "api/config_fields.hpp"
#include "api/source_check.hpp"
#include "base/build_options.hpp"
#include "base/hex.hpp"

namespace ota {
namespace {

// What the registers of Modbus hold.
constexpr size_t kMaxSerialNumber = 16;

bool is_switch(int8_t value) {
    return value == 0 || value == 1 || value == OTA_OFF;
}

bool is_on(int8_t value, bool by_default) {
    return value == 0 ? by_default : value == 1;
}

// False for NaN too.
bool within(float value, float low, float high) {
    return value >= low && value <= high;
}

// 8-4-4-4-12 digits (RFC 9562 4), or none.
bool parse_uuid(const char* text, Uuid& out) {
    if (is_empty(text)) return true;
    FixedString<32> digits;
    const std::string_view view(text);
    for (size_t i = 0; i < view.size(); ++i) {
        const bool place = i == 8 || i == 13 || i == 18 || i == 23;
        if (place != (view[i] == '-')) return false;
        if (!place && !digits.try_append(view.substr(i, 1))) return false;
    }
    return parse_hex(digits.view(), out);
}

const char* check_suit(const ota_manager_config_t& c) {
    Uuid id{};
    if (c.signatures_required > 3) return "signatures_required: 1 to 3, or 0";
    if (!parse_uuid(c.suit_vendor_id, id)) return "suit_vendor_id: a UUID";
    if (!parse_uuid(c.suit_class_id, id)) return "suit_class_id: a UUID";
    if (!parse_uuid(c.suit_device_id, id)) return "suit_device_id: a UUID";
    if (!parse_uuid(c.suit_module_class_id, id)) return "suit_module_class_id: a UUID";
    if (is_empty(c.suit_vendor_id) != is_empty(c.suit_class_id)) {
        return "suit_vendor_id, suit_class_id: both or neither";
    }
    return nullptr;
}

bool parse_revoked(const char* text, RevokedKeys& out) {
    std::string_view rest = text_of(text);
    while (!rest.empty()) {
        const size_t length = std::min(rest.find_first_of(" \n"), rest.size());
        Digest key{};
        if (length != 0 && (!parse_hex(rest.substr(0, length), key) || !out.push_back(key))) {
            return false;
        }
        rest.remove_prefix(std::min(length + 1, rest.size()));
    }
    return true;
}

const char* check_trust(const ota_manager_config_t& c) {
    if (!is_switch(c.verify_signature)) return "verify_signature: 0, 1 or OTA_OFF";
    if (c.verify_signature == OTA_OFF && c.source != OTA_SOURCE_HTTPS) {
        return "verify_signature: only HTTPS may accept unsigned images";
    }
    if (c.verify_signature == OTA_OFF && !unsigned_is_allowed()) {
        return "verify_signature: unsigned images need a build with OTA_ALLOW_UNSIGNED";
    }
    if (c.verify_signature != OTA_OFF && is_empty(c.public_key_pem)) {
        return "public_key_pem: missing, and verify_signature is on";
    }
    RevokedKeys revoked;
    if (!parse_revoked(c.revoked_keys_sha256, revoked)) {
        return "revoked_keys_sha256: up to six times 64 hexadecimal digits, blanks between";
    }
    std::array<uint8_t, 32> sha;
    if (c.expected_sha256 != nullptr && !parse_hex(c.expected_sha256, sha)) {
        return "expected_sha256: 64 hexadecimal digits";
    }
    std::array<uint8_t, 16> md5;
    if (c.expected_md5 != nullptr && !parse_hex(c.expected_md5, md5)) {
        return "expected_md5: 32 hexadecimal digits";
    }
    return nullptr;
}

const char* check_settings_packages(const ota_manager_config_t& c) {
    if (!is_switch(c.settings_packages)) return "settings_packages: 0, 1 or OTA_OFF";
    if (c.settings_packages == 1 && !build::kSettingsPackages) {
        return "settings_packages: left out of this build (OTA_MANAGER_SETTINGS_PACKAGES)";
    }
    return nullptr;
}

const char* check_peers(const ota_manager_config_t& c) {
    const std::string_view serial = text_of(c.serial_number);
    const bool printable = std::all_of(serial.begin(), serial.end(), is_printable);
    return printable && serial.size() <= kMaxSerialNumber
               ? nullptr
               : "serial_number: at most 16 printable characters";
}

const char* check_task(const ota_manager_config_t& c) {
    if (c.task_priority < 0 || c.task_priority > 24) return "task_priority: 1 to 24, or 0";
    if (c.task_stack_size != 0 && (c.task_stack_size < 6144 || c.task_stack_size > 65536)) {
        return "task_stack_size: 6144 to 65536 bytes, or 0";
    }
    if (c.core_id != 0 && c.core_id != 1) return "core_id: 0 or 1";
    return nullptr;
}

}  // namespace

const char* check_thresholds(int min_soc, float max_temperature, float min_temperature,
                             float max_current) {
    if (min_soc < 0 || min_soc > 100) return "min_soc: 0 to 100 percent";
    if (!within(max_temperature, -40.0F, 100.0F)) return "max_temperature: -40 to 100 degrees";
    if (!within(min_temperature, -40.0F, 100.0F)) return "min_temperature: -40 to 100 degrees";
    if (min_temperature >= max_temperature) return "min_temperature: below max_temperature";
    if (!within(max_current, 0.0F, 1000.0F)) return "max_current: 0 to 1000 A";
    return nullptr;
}

const char* check_config(const ota_manager_config_t& c) {
    if (const char* error = check_source(c.source, c.config)) return error;
    if (!is_switch(c.automatic_update)) return "automatic_update: 0, 1 or OTA_OFF";
    if (const char* error = check_trust(c)) return error;
    if (const char* error = check_suit(c)) return error;
    if (const char* error = check_settings_packages(c)) return error;
    if (const char* error = check_peers(c)) return error;
    if (const char* error = check_task(c)) return error;
    if (!is_switch(c.allow_rollback)) return "allow_rollback: 0, 1 or OTA_OFF";
    if (c.rollback_timeout_ms != 0 &&
        (c.rollback_timeout_ms < 1000 || c.rollback_timeout_ms > 86400000)) {
        return "rollback_timeout_ms: 1000 to 86400000, or 0";
    }
    const ota_manager_config_t full = with_defaults(c);
    return check_thresholds(full.min_soc, full.max_temperature, full.min_temperature,
                            full.max_current);
}

ota_manager_config_t with_defaults(const ota_manager_config_t& config) {
    ota_manager_config_t out = config;
    const auto fill = [](auto& field, auto value) {
        if (field == 0) field = static_cast<std::remove_reference_t<decltype(field)>>(value);
    };
    fill(out.signatures_required, 1);
    fill(out.task_priority, OTA_MANAGER_DEFAULT_TASK_PRIORITY);
    fill(out.task_stack_size, OTA_MANAGER_DEFAULT_TASK_STACK_SIZE);
    fill(out.rollback_timeout_ms, OTA_MANAGER_DEFAULT_ROLLBACK_TIMEOUT_MS);
    fill(out.min_soc, OTA_MANAGER_DEFAULT_MIN_SOC);
    fill(out.max_temperature, OTA_MANAGER_DEFAULT_MAX_TEMPERATURE);
    fill(out.min_temperature, OTA_MANAGER_DEFAULT_MIN_TEMPERATURE);
    fill(out.max_current, OTA_MANAGER_DEFAULT_MAX_CURRENT);
    fill(out.battery_capacity_wh, OTA_MANAGER_DEFAULT_BATTERY_CAPACITY_WH);
    return out;
}

SafetyThresholds to_thresholds(int min_soc, float max_temperature, float min_temperature,
                               float max_current) {
    SafetyThresholds out;
    out.min_soc_percent = min_soc;
    out.max_temperature_millicelsius = static_cast<int32_t>(max_temperature * 1000.0F);
    out.min_temperature_millicelsius = static_cast<int32_t>(min_temperature * 1000.0F);
    out.max_current_milliampere = static_cast<int32_t>(max_current * 1000.0F);
    return out;
}

Settings to_settings(const ota_manager_config_t& config) {
    const ota_manager_config_t c = with_defaults(config);
    Settings out;
    out.check_interval_ms = c.check_interval_ms;
    out.automatic_update = is_on(c.automatic_update, out.automatic_update);
    out.verify_signature = is_on(c.verify_signature, out.verify_signature);
    out.allow_rollback = is_on(c.allow_rollback, out.allow_rollback);
    out.rollback_timeout_ms = c.rollback_timeout_ms;
    out.thresholds = to_thresholds(c.min_soc, c.max_temperature, c.min_temperature, c.max_current);
    Digest sha{};
    if (c.expected_sha256 != nullptr && parse_hex(c.expected_sha256, sha)) {
        out.expected.sha256 = sha;
    }
    std::array<uint8_t, 16> md5{};
    if (c.expected_md5 != nullptr && parse_hex(c.expected_md5, md5)) out.expected.md5 = md5;
    (void)parse_revoked(c.revoked_keys_sha256, out.revoked);
    out.signatures_required = c.signatures_required;
    (void)parse_uuid(c.suit_vendor_id, out.suit.vendor);
    (void)parse_uuid(c.suit_class_id, out.suit.class_id);
    (void)parse_uuid(c.suit_device_id, out.suit.device);
    (void)parse_uuid(c.suit_module_class_id, out.suit.module_class);
    out.payload_keys = {c.payload_kek_id, c.payload_ecdh_key_id};
    out.battery_capacity_wh = c.battery_capacity_wh;
    out.settings_packages = is_on(c.settings_packages, out.settings_packages);
    out.remote_settings = out.settings_packages;
    return out;
}

}  // namespace ota
