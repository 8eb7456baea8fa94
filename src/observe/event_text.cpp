#include "observe/event_text.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/status_text.hpp"

namespace ota {
namespace {

// A reading in the unit people use, by what it is about.
void append_reading(const Event& event, LogLine& line) {
    std::array<char, 64> text{};
    const long reading = event.reading;
    const long limit = event.limit;
    switch (event.status.detail()) {
        case Detail::kSocLow:
            std::snprintf(text.data(), text.size(), " (%ld %%, limit %ld %%)", reading, limit);
            break;
        case Detail::kTemperatureHigh:
        case Detail::kTemperatureLow:
            std::snprintf(text.data(), text.size(), " (%s%ld.%ld C, limit %s%ld.%ld C)",
                          reading < 0 ? "-" : "", std::labs(reading) / 1000,
                          std::labs(reading) % 1000 / 100, limit < 0 ? "-" : "",
                          std::labs(limit) / 1000, std::labs(limit) % 1000 / 100);
            break;
        case Detail::kCurrentHigh:
            std::snprintf(text.data(), text.size(), " (%ld mA, limit %ld mA)", reading, limit);
            break;
        case Detail::kBatteryStale:
            std::snprintf(text.data(), text.size(), " (%ld ms old, limit %ld ms)", reading, limit);
            break;
        default:
            return;
    }
    line.append(text.data());
}

}  // namespace

const char* state_name(State state) {
    static constexpr std::array<const char*, kStateCount> kNames = {
        "IDLE",     "CHECKING", "UPDATE_AVAILABLE", "DOWNLOADING", "VERIFYING", "READY_TO_APPLY",
        "APPLYING", "COMPLETE", "REBOOTING",        "FAILED",      "ABORTED",
    };
    const auto index = static_cast<size_t>(state);
    return index < kNames.size() ? kNames[index] : "UNKNOWN";
}

const char* notice_name(Notice notice) {
    static constexpr std::array<const char*, 6> kNames = {
        "TRIAL_STARTED", "CONFIRMED", "REVERTED", "PAUSED", "RESUMED", "REPAIRED",
    };
    const auto index = static_cast<size_t>(notice);
    return index < kNames.size() ? kNames[index] : "UNKNOWN";
}

const char* revert_reason_text(RevertReason reason) {
    static constexpr std::array<const char*, 9> kTexts = {
        "none",
        "never booted",
        "crashed before it was confirmed",
        "stopped responding (watchdog)",
        "a health probe failed",
        "not all health probes passed in time",
        "power was lost in the trial window",
        "the bootloader took another image",
        "on request",
    };
    const auto index = static_cast<size_t>(reason);
    return index < kTexts.size() ? kTexts[index] : "unknown";
}

void format_event(const Event& event, LogLine& line) {
    const bool is_notice = event.kind == Event::Kind::kNotice;
    line.assign(is_notice ? notice_name(event.notice) : state_name(event.state));
    if (is_notice && event.notice == Notice::kReverted) {
        line.append(": ");
        line.append(revert_reason_text(event.revert));
    }
    if (event.status.ok()) return;
    line.append(": ");
    line.append(status_text(event.status));
    append_reading(event, line);
}

}  // namespace ota
