#include "arguments.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct TextOption {
    const char* key;
    const char* Arguments::*field;
};
constexpr TextOption kTexts[] = {
    {"key", &Arguments::key_path},
    {"sd", &Arguments::sd},
    {"usb", &Arguments::usb},
    {"sd-path", &Arguments::sd_path},
    {"usb-path", &Arguments::usb_path},
    {"battery", &Arguments::battery},
    {"control", &Arguments::control},
    {"url", &Arguments::url},
    {"ca", &Arguments::ca},
    {"user", &Arguments::user},
    {"token", &Arguments::token},
    {"client", &Arguments::client},
    {"pin", &Arguments::pin},
    {"header", &Arguments::header},
    {"vendor", &Arguments::vendor},
    {"class", &Arguments::class_id},
    {"device", &Arguments::device},
    {"revoked", &Arguments::revoked},
    {"kek", &Arguments::kek},
    {"decrypt-key", &Arguments::decrypt_key},
    {"serial-number", &Arguments::serial_number},
    {"access-key", &Arguments::access_key},
    {"access-keys", &Arguments::access_keys},
    {"aws", &Arguments::aws},
    {"thing", &Arguments::thing},
    {"code-key", &Arguments::code_key},
    {"provision", &Arguments::provision},
    {"claim", &Arguments::claim},
    {"identity", &Arguments::identity},
    {"log", &Arguments::log},
    {"cloudwatch", &Arguments::cloudwatch},
    {"credentials", &Arguments::credentials},
    {"log-group", &Arguments::log_group},
    {"metrics", &Arguments::metrics},
    {"modbus-line", &Arguments::modbus_line},
    {"can", &Arguments::can},
    {"modules-can", &Arguments::modules_can},
    {"modules-key", &Arguments::modules_key},
    {"modules-hardware", &Arguments::modules_hardware},
    {"module-class", &Arguments::module_class},
};

struct NumberOption {
    const char* key;
    uint32_t Arguments::*field;
};
constexpr NumberOption kNumbers[] = {
    {"check-ms", &Arguments::check_ms},
    {"rollback-ms", &Arguments::rollback_ms},
    {"time-scale", &Arguments::time_scale},
    {"max-bytes", &Arguments::max_bytes},
    {"signatures", &Arguments::signatures},
    {"can-load", &Arguments::can_load},
    {"can-block", &Arguments::can_block},
    {"can-request", &Arguments::can_request},
    {"can-response", &Arguments::can_response},
    {"modbus-port", &Arguments::modbus_port},
    {"modbus-unit", &Arguments::modbus_unit},
    {"modbus-baud", &Arguments::modbus_baud},
    {"modbus-format", &Arguments::modbus_format},
    {"modules", &Arguments::modules},
    {"modules-quorum", &Arguments::modules_quorum},
    {"log-size", &Arguments::log_size},
    {"log-files", &Arguments::log_files},
    {"log-level", &Arguments::log_level},
};

struct SwitchOption {
    const char* key;
    bool Arguments::*field;
};
constexpr SwitchOption kSwitches[] = {
    {"auto", &Arguments::automatic},
    {"clock-unset", &Arguments::clock_unset},
    {"can-fd", &Arguments::can_fd},
    {"modules-go-on", &Arguments::modules_go_on},
    {"shadow", &Arguments::shadow},
    {"settings-packages", &Arguments::settings_packages},
    {"json-streams", &Arguments::json_streams},
};

bool parse_number(const char* text, uint32_t& out) {
    char* end = nullptr;
    const unsigned long value = std::strtoul(text, &end, 10);
    if (end == text || *end != '\0' || value > UINT32_MAX) return false;
    out = static_cast<uint32_t>(value);
    return true;
}

bool parse_word(const char* word, Arguments& out) {
    const char* equal = std::strchr(word, '=');
    if (equal == nullptr) return false;
    const auto length = static_cast<size_t>(equal - word);
    const auto is = [&](const char* key) {
        return std::strlen(key) == length && std::memcmp(key, word, length) == 0;
    };
    for (const TextOption& option : kTexts) {
        if (!is(option.key)) continue;
        out.*option.field = equal + 1;
        return true;
    }
    uint32_t number = 0;
    if (!parse_number(equal + 1, number)) return false;
    for (const NumberOption& option : kNumbers) {
        if (!is(option.key)) continue;
        out.*option.field = number;
        return true;
    }
    for (const SwitchOption& option : kSwitches) {
        if (!is(option.key)) continue;
        out.*option.field = number != 0;
        return true;
    }
    return false;
}

}  // namespace

bool parse_arguments(int argc, char** argv, Arguments& out) {
    for (int i = 1; i < argc; ++i) {
        if (parse_word(argv[i], out)) continue;
        std::fprintf(stderr,
                     "firmware: unknown or malformed argument '%.*s' (see bess_boot --help)\n",
                     static_cast<int>(std::strcspn(argv[i], "=")), argv[i]);  // no secret
        return false;
    }
    return true;
}
