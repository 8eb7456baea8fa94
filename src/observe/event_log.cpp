#include "observe/event_log.hpp"

namespace ota {
namespace {

constexpr const char* kTag = "ota_manager";

LogLevel level_of(const Event& event) {
    if (event.kind == Event::Kind::kState && event.state == State::kFailed) return LogLevel::kError;
    const bool ordinary =
        event.status.ok() || event.status.is(Code::kNoUpdate) || event.status.is(Code::kCancelled);
    const bool revert = event.kind == Event::Kind::kNotice && event.notice == Notice::kReverted;
    return ordinary && !revert ? LogLevel::kInfo : LogLevel::kWarning;
}

// Lines about one state, or one notice, are of a kind.
const void* kind_of(const Event& event) {
    return event.kind == Event::Kind::kNotice ? notice_name(event.notice) : state_name(event.state);
}

}  // namespace

void EventLog::on_event(const Event& event) {
    if (event.kind == Event::Kind::kProgress) return write_progress(event);
    if (event.kind == Event::Kind::kState && event.state == State::kDownloading) next_tenth_ = 0;
    LogLine line;
    if (event.kind == Event::Kind::kReport) {
        format_attempt(*event.attempt, event.revert, line);
        log_.write_line(level_of(event), kTag, "report", line.view());
        return write_components(event.attempt->components);
    }
    format_event(event, line);
    log_.write_line(level_of(event), kTag, kind_of(event), line.view());
}

void EventLog::write_components(const ComponentResults& components) {
    LogLine line;
    format_components(components, line);
    if (!line.empty()) log_.write_line(LogLevel::kInfo, kTag, "components", line.view());
    for (const ComponentResult& result : components) {
        if (result.outcome != ComponentOutcome::kFailed) continue;
        format_component_failure(result, line);
        log_.write_line(LogLevel::kWarning, kTag, "component", line.view());
    }
}

void EventLog::write_progress(const Event& event) {
    if (!with_progress_ || event.total == 0) return;
    const uint64_t tenth = event.received * 10 / event.total;
    if (tenth < next_tenth_) return;
    next_tenth_ = tenth + 1;
    log_.write(LogLevel::kInfo, kTag, "downloaded {} of {} KiB ({} %)", event.received / 1024,
               event.total / 1024, event.received * 100 / event.total);
}

}  // namespace ota
