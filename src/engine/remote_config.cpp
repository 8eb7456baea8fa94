#include "engine/remote_config.hpp"

#include <cstdio>

#include "base/text.hpp"
#include "wire/json.hpp"
#include "wire/json_writer.hpp"

namespace ota {
namespace {

constexpr const char* kNotANumber = "not a whole number";
constexpr const char* kNotASwitch = "not true or false";
constexpr const char* kOutOfRange = "out of range";
constexpr const char* kLooser = "looser than the device's own";
constexpr const char* kUnknown = "unknown";
constexpr const char* kNotATime = "from: hh:mm in UTC; minutes: 1 to 1440";

constexpr uint32_t kLongestInterval = 30 * 86400;  // s
constexpr uint32_t kShortestInterval = 60;
constexpr uint32_t kLongestTrial = 3600;  // in which the device hears nobody
constexpr int32_t kMilli = 1000;

// One member's value, and why it is not taken; null: it is.
struct Value {
    JsonReader& in;
    JsonToken token;

    const char* number(uint64_t least, uint64_t most, uint64_t& out) {
        if (token != JsonToken::kNumber) {
            (void)in.pass(token);
            return kNotANumber;
        }
        if (!in.take_number(token, out).ok()) return kNotANumber;
        return out < least || out > most ? kOutOfRange : nullptr;
    }
    const char* flag(bool& out) {
        out = token == JsonToken::kTrue;
        if (out || token == JsonToken::kFalse) return nullptr;
        (void)in.pass(token);
        return kNotASwitch;
    }
};

const char* take_interval(Value value, RemoteSettings& out) {
    uint64_t seconds = 0;
    if (const char* why = value.number(0, kLongestInterval, seconds)) return why;
    if (seconds != 0 && seconds < kShortestInterval) return kOutOfRange;
    out.check_interval = static_cast<uint32_t>(seconds);
    return nullptr;
}

const char* take_automatic(Value value, RemoteSettings& out) {
    bool on = false;
    if (const char* why = value.flag(on)) return why;
    out.automatic_update = on;
    return nullptr;
}

// Probes need their time: a trial that is too short would give up every image, for good.
const char* take_trial(Value value, const Settings& own, RemoteSettings& out) {
    const uint32_t least = own.rollback_timeout_ms / 1000;
    uint64_t seconds = 0;
    if (const char* why = value.number(0, std::max(least, kLongestTrial), seconds)) return why;
    if (seconds < least) return kLooser;
    out.rollback_timeout = static_cast<uint32_t>(seconds);
    return nullptr;
}

// What protects the device is neither switched off from afar nor on.
const char* take_protection(Value value, bool own) {
    bool on = false;
    if (const char* why = value.flag(on)) return why;
    if (on == own) return nullptr;
    return on ? "off in this device" : kLooser;
}

const char* take_soc(Value value, const SafetyThresholds& own, RemoteSettings& out) {
    uint64_t percent = 0;
    if (const char* why = value.number(0, 100, percent)) return why;
    if (static_cast<int32_t>(percent) < own.min_soc_percent) return kLooser;
    out.min_soc = static_cast<uint8_t>(percent);
    return nullptr;
}

const char* take_hottest(Value value, const SafetyThresholds& own, RemoteSettings& out) {
    uint64_t degrees = 0;
    if (const char* why = value.number(0, 100, degrees)) return why;
    const auto limit = static_cast<int32_t>(degrees) * kMilli;
    if (limit > own.max_temperature_millicelsius) return kLooser;
    if (limit <= own.min_temperature_millicelsius) return kOutOfRange;
    out.max_temperature = static_cast<int8_t>(degrees);
    return nullptr;
}

const char* take_coldest(Value value, const SafetyThresholds& own, RemoteSettings& out) {
    uint64_t degrees = 0;
    if (const char* why = value.number(0, 100, degrees)) return why;
    const auto limit = static_cast<int32_t>(degrees) * kMilli;
    if (limit < own.min_temperature_millicelsius) return kLooser;
    if (limit >= own.max_temperature_millicelsius) return kOutOfRange;
    out.min_temperature = static_cast<int8_t>(degrees);
    return nullptr;
}

const char* take_current(Value value, const SafetyThresholds& own, RemoteSettings& out) {
    uint64_t amperes = 0;
    if (const char* why = value.number(0, 1000, amperes)) return why;
    if (static_cast<int32_t>(amperes) * kMilli > own.max_current_milliampere) return kLooser;
    out.max_current = static_cast<uint16_t>(amperes);
    return nullptr;
}

const char* take_level(Value value, RemoteSettings& out) {
    FixedString<8> name;
    const bool is_text = value.token == JsonToken::kText && value.in.take_text(name).ok();
    if (value.token != JsonToken::kText) (void)value.in.pass(value.token);
    const auto* const found = std::find(kLogLevelNames.begin(), kLogLevelNames.end(), name.view());
    if (!is_text || found == kLogLevelNames.end()) return "not off, error, warning, info or debug";
    out.log_level = static_cast<LogLevel>(found - kLogLevelNames.begin());
    return nullptr;
}

// "22:00"
bool parse_minute(std::string_view text, uint16_t& out) {
    uint64_t hour = 0;
    uint64_t minute = 0;
    const bool is_time = text.size() == 5 && text[2] == ':' &&
                         parse_decimal(text.substr(0, 2), hour) &&
                         parse_decimal(text.substr(3), minute) && hour < 24 && minute < 60;
    out = static_cast<uint16_t>(hour * 60 + minute);
    return is_time;
}

Status parse_window(JsonReader& in, UpdateWindow& out, bool& is_good) {
    bool has_from = false;
    const Status parsed = each_member(in, [&](std::string_view name) -> Status {
        OTA_TRY_ASSIGN(const JsonToken token, in.next());
        if (name == "from" && token == JsonToken::kText) {
            FixedString<8> text;
            const Status taken = in.take_text(text);
            has_from = taken.ok() && parse_minute(text.view(), out.from);
            return taken.is(Code::kNoSpace) ? kOkStatus : taken;
        }
        if (name == "minutes" && token == JsonToken::kNumber) {
            uint64_t minutes = 0;
            const bool fits = in.take_number(token, minutes).ok() && minutes <= 1440;
            out.minutes = fits ? static_cast<uint16_t>(minutes) : uint16_t{0};
            return {};
        }
        return in.pass(token);
    });
    is_good = has_from && out.minutes != 0;
    return parsed;
}

const char* take_window(Value value, RemoteSettings& out) {
    if (value.token != JsonToken::kObjectBegin) {
        (void)value.in.pass(value.token);
        return kNotATime;
    }
    UpdateWindow window;
    bool is_good = false;
    if (!parse_window(value.in, window, is_good).ok() || !is_good) return kNotATime;
    out.window = window;
    return nullptr;
}

const char* take_member(std::string_view name, Value value, const Settings& settings,
                        RemoteSettings& out) {
    const SafetyThresholds& own = settings.thresholds;
    if (name == "check_interval_s") return take_interval(value, out);
    if (name == "automatic_update") return take_automatic(value, out);
    if (name == "rollback_timeout_s") return take_trial(value, settings, out);
    if (name == "verify_signature") return take_protection(value, settings.verify_signature);
    if (name == "allow_rollback") return take_protection(value, settings.allow_rollback);
    if (name == "min_soc") return take_soc(value, own, out);
    if (name == "max_temperature") return take_hottest(value, own, out);
    if (name == "min_temperature") return take_coldest(value, own, out);
    if (name == "max_current") return take_current(value, own, out);
    if (name == "window") return take_window(value, out);
    if (name == "log_level") return take_level(value, out);
    (void)value.in.pass(value.token);
    return kUnknown;
}

void refuse(std::string_view name, const char* why, RefusedSettings& refused) {
    RefusedSetting out;
    append_plain(out.name, name);
    out.why = why;
    (void)refused.push_back(out);
}

// ---------------------------------------------------------------- as text

// An array: the shadow replaces it as a whole.
void add_refused(JsonWriter& json, const RefusedSettings& refused) {
    json.list("refused");
    for (const RefusedSetting& one : refused) {
        FixedString<96> text(one.name.view());
        text.append(": ");
        text.append(one.why);
        json.element(text.view());
    }
    json.end_list();
}

void add_window(JsonWriter& json, const std::optional<UpdateWindow>& window) {
    if (!window) return json.null("window");
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%02u:%02u", window->from / 60U, window->from % 60U);
    json.object("window");
    json.text("from", text.data());
    json.number("minutes", window->minutes);
    json.end();
}

}  // namespace

Status parse_remote_settings(std::string_view json, const Settings& own, SettingsCarrier carrier,
                             RemoteSettings& out, RefusedSettings& refused) {
    out = {};
    refused.clear();
    JsonReader in(json);
    OTA_TRY_ASSIGN(const JsonToken first, in.next());
    if (first != JsonToken::kObjectBegin) {
        return {Code::kMalformed, Origin::kEngine, Detail::kJsonForm};
    }
    OTA_TRY(each_member(in, [&](std::string_view name) -> Status {
        OTA_TRY_ASSIGN(const JsonToken token, in.next());
        if (token == JsonToken::kNull) return {};
        const char* why = take_member(name, {in, token}, own, out);
        if (why != nullptr) refuse(name, why, refused);
        return {};
    }));
    const bool ends_looking = out.check_interval == 0U && own.check_interval_ms != 0;
    if (ends_looking && carrier == SettingsCarrier::kPackage) {
        out.check_interval.reset();
        refuse("check_interval_s", "nobody could take it back", refused);
    }
    if (out.min_temperature && out.max_temperature &&
        *out.min_temperature >= *out.max_temperature) {
        out.min_temperature.reset();
        refuse("min_temperature", "not below max_temperature", refused);
    }
    return {};
}

void apply_remote_settings(const RemoteSettings& asked, const Settings& firmware,
                           Settings& settings) {
    const SafetyThresholds& own = firmware.thresholds;
    if (asked.check_interval) settings.check_interval_ms = *asked.check_interval * 1000U;
    if (asked.automatic_update) settings.automatic_update = *asked.automatic_update;
    if (asked.rollback_timeout) {
        settings.rollback_timeout_ms =
            std::max(firmware.rollback_timeout_ms, *asked.rollback_timeout * 1000U);
    }
    SafetyThresholds& limits = settings.thresholds;
    limits = own;
    if (asked.min_soc)
        limits.min_soc_percent = std::max<int32_t>(own.min_soc_percent, *asked.min_soc);
    if (asked.max_temperature) {
        limits.max_temperature_millicelsius =
            std::min(own.max_temperature_millicelsius, *asked.max_temperature * kMilli);
    }
    if (asked.min_temperature) {
        limits.min_temperature_millicelsius =
            std::max(own.min_temperature_millicelsius, *asked.min_temperature * kMilli);
    }
    // Asked of an earlier firmware, with other limits.
    if (limits.min_temperature_millicelsius >= limits.max_temperature_millicelsius) {
        limits.min_temperature_millicelsius = own.min_temperature_millicelsius;
        limits.max_temperature_millicelsius = own.max_temperature_millicelsius;
    }
    if (asked.max_current) {
        limits.max_current_milliampere =
            std::min(own.max_current_milliampere, *asked.max_current * kMilli);
    }
}

void format_remote_settings(const Settings& settings, const RemoteSettings& asked,
                            const RefusedSettings& refused, SettingsText& out) {
    const SafetyThresholds& limits = settings.thresholds;
    JsonWriter json(out);  // in the shadow a member that is null is taken out
    json.number("check_interval_s", settings.check_interval_ms / 1000);
    json.flag("automatic_update", settings.automatic_update);
    json.number("rollback_timeout_s", settings.rollback_timeout_ms / 1000);
    json.flag("verify_signature", settings.verify_signature);
    json.flag("allow_rollback", settings.allow_rollback);
    json.number("min_soc", limits.min_soc_percent);
    json.number("max_temperature", limits.max_temperature_millicelsius / kMilli);
    json.number("min_temperature", limits.min_temperature_millicelsius / kMilli);
    json.number("max_current", limits.max_current_milliampere / kMilli);
    add_window(json, asked.window);
    if (asked.log_level) {
        json.text("log_level",
                  kLogLevelNames[static_cast<size_t>(*asked.log_level) % kLogLevelNames.size()]);
    } else {
        json.null("log_level");
    }
    if (refused.empty()) {
        json.null("refused");
    } else {
        add_refused(json, refused);
    }
    json.end();
}

}  // namespace ota
