#include "api/config_check.hpp"

#include <mbedtls/base64.h>

#include <cstring>
#include <type_traits>

#include "api/text_rules.hpp"
#include "base/build_options.hpp"
#include "base/hex.hpp"
#include "base/text.hpp"
#include "ports/file_store.hpp"
#include "sources/aws/aws_link.hpp"
#include "sources/https/credentials.hpp"
#include "wire/uri.hpp"

namespace ota {
namespace {

// What the registers of Modbus hold.
constexpr std::ptrdiff_t kMaxSerialNumber = 16;

bool is_switch(int8_t value) {
    return value == 0 || value == 1 || value == OTA_OFF;
}

bool is_on(int8_t value, bool by_default) {
    return value == 0 ? by_default : value == 1;
}

bool fits(const char* text, size_t longest) {
    return text == nullptr || std::strlen(text) <= longest;
}

// A token of RFC 9110 5.6.2, roughly: visible, and none of the separators that matter here.
bool is_field_name(const char* name) {
    if (is_empty(name) || std::strlen(name) > 64) return false;
    return std::all_of(name, name + std::strlen(name),
                       [](char c) { return c > 0x20 && c < 0x7F && c != ':' && c != '"'; });
}

// Fields that the download itself depends on.
bool is_reserved(std::string_view name) {
    constexpr std::string_view kReserved[] = {
        "accept-encoding", "connection", "content-length",    "host",
        "if-none-match",   "if-range",   "transfer-encoding", "range"};
    return std::any_of(std::begin(kReserved), std::end(kReserved),
                       [&](std::string_view own) { return equal_ignoring_case(name, own); });
}

// No line ends: a value can't smuggle in another field.
bool is_field_value(const char* value) {
    if (is_empty(value) || std::strlen(value) > 1024) return false;
    return std::all_of(value, value + std::strlen(value),
                       [](char c) { return c >= 0x20 && c < 0x7F; });
}

bool is_base64_digest(const char* text) {
    std::array<uint8_t, 33> digest;
    size_t length = 0;
    const auto* bytes = reinterpret_cast<const uint8_t*>(text);
    if (std::strlen(text) != 44) return false;  // no line ends: it is compared as text
    return mbedtls_base64_decode(digest.data(), digest.size(), &length, bytes, std::strlen(text)) ==
               0 &&
           length == kSha256Size;
}

const char* check_url(const char* url) {
    UriParts parts;
    const bool usable = url != nullptr && std::strlen(url) < kMaxUri && parse_uri(url, parts);
    if (!usable) {
        return "config.https.url: https://host/path of visible characters, shorter than "
               "OTA_MANAGER_URI_SIZE";
    }
    if (!parts.is_https()) return "config.https.url: https only";
    SecretText<128> user;
    SecretText<128> password;
    BasicToken token;
    const bool usable_user = split_user_info(parts.user_info, user, password) &&
                             (user.empty() || token.set(user.view(), password.view()));
    if (!usable_user) return "config.https.url: user:password@ of at most 127 bytes each, encoded";
    return nullptr;
}

const char* check_login(const ota_https_config_t& c) {
    if (!fits(c.basic_auth_user, kMaxUser) || !fits(c.basic_auth_pass, kMaxPassword)) {
        return "config.https.basic_auth_user, basic_auth_pass: at most 127 bytes each";
    }
    if (!is_empty(c.basic_auth_user) && std::strchr(c.basic_auth_user, ':') != nullptr) {
        return "config.https.basic_auth_user: no colon";
    }
    if (is_empty(c.basic_auth_user) && !is_empty(c.basic_auth_pass)) {
        return "config.https.basic_auth_user: missing beside basic_auth_pass";
    }
    if (is_empty(c.bearer_token)) return nullptr;
    if (!is_field_value(c.bearer_token)) {
        return "config.https.bearer_token: at most 1024 visible characters";
    }
    if (!is_empty(c.basic_auth_user)) return "config.https.bearer_token: not beside a user";
    return nullptr;
}

const char* check_https(const ota_https_config_t& c) {
    if (const char* error = check_url(c.url)) return error;
    if (const char* error = check_login(c)) return error;
    if (is_empty(c.client_cert_pem) != is_empty(c.client_key_pem)) {
        return "config.https.client_cert_pem, client_key_pem: both or neither";
    }
    if (c.max_bytes_per_day != 0 && c.max_bytes_per_day < 4096) {
        return "config.https.max_bytes_per_day: 0, or at least 4096";
    }
    if (!is_empty(c.pinned_key_sha256) && !is_base64_digest(c.pinned_key_sha256)) {
        return "config.https.pinned_key_sha256: base64 of 32 bytes";
    }
    if (c.header_count > kMaxCustomFields || (c.header_count != 0 && c.headers == nullptr)) {
        return "config.https.headers: at most 8";
    }
    for (uint8_t i = 0; i < c.header_count; ++i) {
        if (!is_field_name(c.headers[i].name) || !is_field_value(c.headers[i].value)) {
            return "config.https.headers: a name and a value of visible characters each";
        }
        if (is_reserved(c.headers[i].name)) {
            return "config.https.headers: one of them is set by the download itself";
        }
        const bool login = !is_empty(c.basic_auth_user) || !is_empty(c.bearer_token);
        if (login && equal_ignoring_case(c.headers[i].name, "Authorization")) {
            return "config.https.headers: Authorization, and a user or token besides";
        }
    }
    return nullptr;
}

const char* check_modbus(const ota_modbus_config_t& c) {
    if (c.unit_id > 247) return "config.modbus.unit_id: 1 to 247, or 0";
    if (c.register_base > 65000) return "config.modbus.register_base: 1 to 65000, or 0";
    if (c.serial_format > OTA_SERIAL_8N2) return "config.modbus.serial_format: not a known format";
    if (c.baud_rate != 0 && (c.baud_rate < 9600 || c.baud_rate > 1000000)) {
        return "config.modbus.baud_rate: 9600 to 1000000, or 0";
    }
    if (c.shared && (c.serial_device != nullptr || c.tcp_port != 0)) {
        return "config.modbus.shared: without tcp_port and serial_device";
    }
    return nullptr;
}

const char* check_aws_iot(const ota_aws_iot_config_t& c) {
    if (!consists_of(text_of(c.endpoint), ".-", 253)) {
        return "config.aws_iot.endpoint: a host name, without https://";
    }
    if (!consists_of(text_of(c.thing_name), ":_-", kMaxThingName)) {
        return "config.aws_iot.thing_name: 1 to 128 of a-z A-Z 0-9 : _ -";
    }
    if (is_empty(c.device_cert_pem) || is_empty(c.device_key_pem)) {
        return "config.aws_iot.device_cert_pem, device_key_pem: needed, PEM";
    }
    if (c.json_streams && !build::kJsonStreams) {
        return "config.aws_iot.json_streams: left out of this build (OTA_MANAGER_JSON_STREAMS)";
    }
    return nullptr;
}

const char* check_bus(uint8_t load, uint32_t bitrate) {
    if (load > 100) return "bus_load: 1 to 100 percent, or 0";
    if (bitrate != 0 && (bitrate < 10000 || bitrate > 1000000)) {
        return "bitrate: 10000 to 1000000, or 0";
    }
    return nullptr;
}

const char* check_canbus(const ota_canbus_config_t& c) {
    constexpr uint32_t kHighest = 0x1FFFFFFF;
    if (c.request_id > kHighest || c.response_id > kHighest || c.functional_id > kHighest) {
        return "config.canbus.request_id, response_id, functional_id: at most 29 bits";
    }
    if ((c.request_id == 0) != (c.response_id == 0)) {
        return "config.canbus.request_id, response_id: both or neither";
    }
    if (c.request_id != 0 && c.request_id == c.response_id) {
        return "config.canbus.request_id, response_id: not the same";
    }
    return check_bus(c.bus_load, c.bitrate);
}

bool is_path(const char* path) {
    if (path == nullptr || path[0] != '/') return false;
    const size_t length = std::strlen(path);
    return length > 1 && length <= kMaxConfiguredPath && path[length - 1] != '/';
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
    std::string_view rest = text == nullptr ? std::string_view() : std::string_view(text);
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
    if (c.verify_signature != OTA_OFF &&
        (c.public_key_pem == nullptr || c.public_key_pem[0] == '\0')) {
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
    if (is_empty(c.serial_number)) return nullptr;
    const char* const end = c.serial_number + std::strlen(c.serial_number);
    const bool visible =
        std::all_of(c.serial_number, end, [](char x) { return x >= 0x20 && x < 0x7F; });
    return visible && end - c.serial_number <= kMaxSerialNumber
               ? nullptr
               : "serial_number: at most 16 visible characters";
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

bool is_supported(ota_source_t source) {
    return (build::kHttps && source == OTA_SOURCE_HTTPS) ||
           (build::kAwsIot && source == OTA_SOURCE_AWS_IOT) ||
           (build::kModbus && source == OTA_SOURCE_MODBUS) ||
           (build::kCanbus && source == OTA_SOURCE_CANBUS) ||
           (build::kSdCard && source == OTA_SOURCE_SD_CARD) ||
           (build::kUsbDrive && source == OTA_SOURCE_USB_DRIVE);
}

const char* check_source(ota_source_t source, const ota_source_config_t& config) {
    const bool known = source >= OTA_SOURCE_HTTPS && source <= OTA_SOURCE_USB_DRIVE;
    if (known && !is_supported(source)) return "source: left out of this build";
    switch (source) {
        case OTA_SOURCE_HTTPS:
            return check_https(config.https);
        case OTA_SOURCE_AWS_IOT:
            return check_aws_iot(config.aws_iot);
        case OTA_SOURCE_MODBUS:
            return check_modbus(config.modbus);
        case OTA_SOURCE_CANBUS:
            return check_canbus(config.canbus);
        case OTA_SOURCE_SD_CARD:
            return is_path(config.sd_card.filepath)
                       ? nullptr
                       : "config.sd_card.filepath: an absolute path of at most 240 characters";
        case OTA_SOURCE_USB_DRIVE:
            return is_path(config.usb_drive.filepath)
                       ? nullptr
                       : "config.usb_drive.filepath: an absolute path of at most 240 characters";
        default:
            return "source: not a known source";
    }
}

const char* check_modules(const ota_modules_config_t& c) {
    constexpr unsigned kMostBoards = 12;
    const unsigned count = c.count == 0 ? kMostBoards : c.count;
    const unsigned first = c.first_address == 0 ? 0x21U : c.first_address;
    if (count > kMostBoards) return "modules.count: 1 to 12, or 0";
    if (first + count - 1 > 0xFF || (first <= 0x10 && first + count > 0x10)) {
        return "modules.first_address: all addresses from 0x01 to 0xFF, without the own one, 0x10";
    }
    if (c.quorum > count) return "modules.quorum: no more than there are boards, or 0";
    return check_bus(c.bus_load, c.bitrate);
}

bool is_log_level(ota_log_level_t level) {
    return level >= OTA_LOG_DEFAULT && level <= OTA_LOG_DEBUG;
}

namespace {

// So long that a request's head and URL hold them (observe/cloudwatch.cpp).
constexpr size_t kMaxLogName = 200;
constexpr size_t kMaxLogHost = 200;

const char* check_log_file(const ota_log_sd_card_t& c) {
    if (!is_log_level(c.level)) return "sd_card.level: an ota_log_level_t";
    if (c.directory == nullptr) return nullptr;
    if (c.directory[0] != '/' || !fits(c.directory, kMaxConfiguredPath)) {
        return "sd_card.directory: below the mount point, up to 240 characters";
    }
    if (c.max_file_size != 0 && c.max_file_size < 4096) {
        return "sd_card.max_file_size: 4096 and more, or 0";
    }
    if (c.max_files == 1 || c.max_files > 999) return "sd_card.max_files: 2 to 999, or 0";
    return nullptr;
}

const char* check_cloudwatch(const ota_log_cloudwatch_t& c) {
    if (!is_log_level(c.level)) return "cloudwatch.level: an ota_log_level_t";
    if (c.endpoint == nullptr) return nullptr;
    // Clients leave it out of Host, which is signed.
    const bool has_default_port = text_of(c.endpoint).ends_with(":443");
    if (has_default_port || !consists_of(c.endpoint, ".-:", kMaxLogHost)) {
        return "cloudwatch.endpoint: a host name, without :443";
    }
    if (!consists_of(text_of(c.credentials_endpoint), ".-:", kMaxLogHost)) {
        return "cloudwatch.credentials_endpoint: a host name";
    }
    if (!consists_of(text_of(c.region), "-", 32)) return "cloudwatch.region: as in eu-central-1";
    const std::string_view group = text_of(c.log_group);
    if (!consists_of(group, ".-_/#", kMaxLogName) || group.starts_with("aws/")) {
        return "cloudwatch.log_group: 1 to 200 of a-z A-Z 0-9 . - _ / #, not beginning with aws/";
    }
    if (!consists_of(text_of(c.thing_name), ":_-", kMaxThingName)) {
        return "cloudwatch.thing_name: 1 to 128 of a-z A-Z 0-9 : _ -";
    }
    const std::string_view stream = text_of(is_empty(c.log_stream) ? c.thing_name : c.log_stream);
    if (!consists_of(stream, ".-_/#", kMaxLogName)) {
        return "cloudwatch.log_stream: 1 to 200 of a-z A-Z 0-9 . - _ / #; a thing's name with : is "
               "none";
    }
    if (!consists_of(text_of(c.role_alias), "_=,@-", 128)) {
        return "cloudwatch.role_alias: 1 to 128 of a-z A-Z 0-9 _ = , @ -";
    }
    if (is_empty(c.device_cert_pem) || is_empty(c.device_key_pem)) {
        return "cloudwatch.device_cert_pem, device_key_pem: both";
    }
    if (c.metrics_namespace != nullptr && !consists_of(c.metrics_namespace, ".-_/#:", 64)) {
        return "cloudwatch.metrics_namespace: 1 to 64 of a-z A-Z 0-9 . - _ / # :";
    }
    return nullptr;
}

}  // namespace

const char* check_log(const ota_log_config_t& c) {
    if (!is_log_level(c.console_level)) return "console_level: an ota_log_level_t";
    if (const char* error = check_log_file(c.sd_card)) return error;
    return check_cloudwatch(c.cloudwatch);
}

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
