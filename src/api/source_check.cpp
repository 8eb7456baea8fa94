#include "api/source_check.hpp"

#include <mbedtls/base64.h>

#include <cstring>

#include "api/config_fields.hpp"
#include "base/build_options.hpp"
#include "base/text.hpp"
#include "ports/file_store.hpp"
#include "sources/aws/aws_link.hpp"
#include "sources/https/credentials.hpp"
#include "wire/uri.hpp"

namespace ota {
namespace {

// A token of RFC 9110 5.6.2, roughly: visible, and none of the separators that matter here.
bool is_field_name(const char* name) {
    if (is_empty(name) || std::strlen(name) > 64) return false;
    return std::all_of(name, name + std::strlen(name),
                       [](char c) { return is_visible(c) && c != ':' && c != '"'; });
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
    return std::all_of(value, value + std::strlen(value), is_printable);
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
    const unsigned count = or_default<unsigned>(c.count, kMostBoards);
    const unsigned first = or_default<unsigned>(c.first_address, 0x21);
    if (count > kMostBoards) return "modules.count: 1 to 12, or 0";
    if (first + count - 1 > 0xFF || (first <= 0x10 && first + count > 0x10)) {
        return "modules.first_address: all addresses from 0x01 to 0xFF, without the own one, 0x10";
    }
    if (c.quorum > count) return "modules.quorum: no more than there are boards, or 0";
    return check_bus(c.bus_load, c.bitrate);
}

}  // namespace ota
