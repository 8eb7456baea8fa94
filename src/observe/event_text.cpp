#include "observe/event_text.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/status_text.hpp"

namespace ota {
namespace {

// A reading in the unit people use, by what it is about.
void append_reading(Status about, long reading, long limit, LogLine& line) {
    std::array<char, 64> text{};
    switch (about.detail()) {
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

template <size_t N>
const char* text_at(const std::array<const char*, N>& texts, size_t index) {
    return index < N ? texts[index] : "unknown";
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

const char* outcome_text(Outcome outcome) {
    static constexpr std::array<const char*, 8> kTexts = {
        "none",      "failed",   "aborted", "interrupted by a reset", "restarted into it",
        "confirmed", "reverted", "kept",
    };
    return text_at(kTexts, static_cast<size_t>(outcome));
}

const char* component_outcome_text(ComponentOutcome outcome) {
    static constexpr std::array<const char*, 4> kTexts = {"not reached", "held already", "written",
                                                          "failed"};
    return text_at(kTexts, static_cast<size_t>(outcome));
}

ComponentText component_text(ComponentRef component) {
    static constexpr std::array<const char*, 6> kNames = {"app",   "app/run", "cfg",
                                                          "stage", "bms/",    "settings"};
    ComponentText out(text_at(kNames, static_cast<size_t>(component.kind)));
    if (component.kind != ComponentKind::kModule) return out;
    std::array<char, 4> number{};
    std::snprintf(number.data(), number.size(), "%02u", component.number);
    out.append(number.data());
    return out;
}

const char* source_text(SourceKind source) {
    static constexpr std::array<const char*, kSourceKindCount> kTexts = {
        "HTTPS", "AWS IoT", "Modbus", "CAN", "SD card", "USB drive",
    };
    return text_at(kTexts, static_cast<size_t>(source));
}

const char* reset_text(const std::optional<ResetReason>& reset) {
    static constexpr std::array<const char*, 5> kTexts = {
        "power on", "software restart", "panic", "watchdog", "brownout",
    };
    return reset ? text_at(kTexts, static_cast<size_t>(*reset)) : "unknown";
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
    append_reading(event.status, event.reading, event.limit, line);
}

void format_components(const ComponentResults& components, LogLine& line) {
    line.clear();
    for (const ComponentResult& result : components) {
        line.append(line.empty() ? "COMPONENTS: " : ", ");
        line.append(component_text(result.component).view());
        line.append(" ");
        line.append(component_outcome_text(result.outcome));
    }
}

void format_component_failure(const ComponentResult& result, LogLine& line) {
    line.assign("COMPONENT ");
    line.append(component_text(result.component).view());
    line.append(": ");
    line.append(detail_text(result.why));
}

void format_attempt(const AttemptRecord& attempt, RevertReason revert, LogLine& line) {
    std::array<char, 128> text{};
    const std::string_view version = attempt.version.view();
    line.assign("REPORT: ");
    line.append(version.empty() ? "no package" : version);
    line.append(" from ");
    line.append(source_text(attempt.source));
    line.append(" ");
    line.append(outcome_text(attempt.outcome));
    const bool midway = attempt.outcome == Outcome::kFailed || attempt.outcome == Outcome::kAborted;
    if (midway) {
        line.append(" in ");
        line.append(state_name(attempt.phase));
    }
    if (attempt.outcome == Outcome::kReverted) {
        line.append(", ");
        line.append(revert_reason_text(revert));
    }
    if (attempt.reset) {
        line.append(" (");
        line.append(reset_text(attempt.reset));
        line.append(")");
    }
    std::snprintf(text.data(), text.size(),
                  "; %lu bytes received, %lu there before, %u retries, %u pauses of %lu s, %lu s",
                  static_cast<unsigned long>(attempt.received),
                  static_cast<unsigned long>(attempt.resumed_at), attempt.retries, attempt.pauses,
                  static_cast<unsigned long>(attempt.paused_ms / 1000),
                  static_cast<unsigned long>(attempt.duration_ms / 1000));
    line.append(text.data());
    if (attempt.outcome != Outcome::kFailed) return;
    line.append("; ");
    line.append(status_text(attempt.why));
    append_reading(attempt.why, attempt.reading, attempt.limit, line);
}

}  // namespace ota
