// What the owner of a fleet sets from afar.
#pragma once

#include <optional>

#include "base/fixed.hpp"
#include "base/status.hpp"
#include "ports/log.hpp"

namespace ota {

// Part of a day in UTC, also over midnight.
struct UpdateWindow {
    uint16_t from = 0;     // minute of the day, 0…1439
    uint16_t minutes = 0;  // 1…1440
    bool operator==(const UpdateWindow&) const = default;

    bool holds(UnixTime time) const {
        const auto minute = static_cast<uint32_t>(time / 60 % 1440);
        return (minute + 1440U - from) % 1440U < minutes;
    }
};

// A member without a value is the firmware's own. Stored in flash.
struct RemoteSettings {
    std::optional<uint32_t> check_interval;  // s; 0 = no periodic checks, else 60…2592000
    std::optional<bool> automatic_update;
    std::optional<uint32_t> rollback_timeout;  // s, 60…86400
    // Only stricter than the firmware's own.
    std::optional<uint8_t> min_soc;         // %
    std::optional<int8_t> max_temperature;  // °C
    std::optional<int8_t> min_temperature;  // °C
    std::optional<uint16_t> max_current;    // A
    std::optional<UpdateWindow> window;
    std::optional<LogLevel> log_level;  // of card and cloud
    bool operator==(const RemoteSettings&) const = default;
};

using SettingsText = FixedString<960>;

// Who brings a document: one that is asked at each connection, or one that is found by looking.
enum class SettingsCarrier : uint8_t { kShadow, kPackage };

// Engine context.
class SettingsHost {
  public:
    // All that is asked for: a JSON object. What it does not name goes back to the firmware's own;
    // what can't be taken is refused, each member by itself. Durable when it returns ok;
    // kMalformed: it is no object, and nothing has changed.
    virtual Status take_settings(std::string_view json, SettingsCarrier carrier) = 0;
    // What is in force, and under "refused" what was not taken and why: a JSON object.
    virtual void describe_settings(SettingsText& out) const = 0;

  protected:
    ~SettingsHost() = default;
};

// Hears of what is not the engine's.
class SettingsSink {
  public:
    virtual void on_settings(const RemoteSettings& settings) = 0;
    // One of a new document is not taken.
    virtual void on_refused_setting(std::string_view name, const char* why) = 0;

  protected:
    ~SettingsSink() = default;
};

}  // namespace ota
