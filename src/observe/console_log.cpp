#include "observe/console_log.hpp"

#include <cstdio>

namespace ota {
namespace {

LogLevel level_of(const Event& event) {
    if (event.kind == Event::Kind::kState && event.state == State::kFailed) return LogLevel::kError;
    const bool ordinary =
        event.status.ok() || event.status.is(Code::kNoUpdate) || event.status.is(Code::kCancelled);
    const bool revert = event.kind == Event::Kind::kNotice && event.notice == Notice::kReverted;
    return ordinary && !revert ? LogLevel::kInfo : LogLevel::kWarning;
}

}  // namespace

void ConsoleLog::on_event(const Event& event) {
    if (event.kind == Event::Kind::kProgress) return write_progress(event);
    if (event.kind == Event::Kind::kState && event.state == State::kDownloading) next_tenth_ = 0;
    LogLine line;
    if (event.kind == Event::Kind::kReport) {
        format_attempt(*event.attempt, event.revert, line);
    } else {
        format_event(event, line);
    }
    output_.write(level_of(event), line.view());
    if (event.kind != Event::Kind::kReport) return;
    format_components(event.attempt->components, line);
    if (!line.empty()) output_.write(LogLevel::kInfo, line.view());
    for (const ComponentResult& result : event.attempt->components) {
        if (result.outcome != ComponentOutcome::kFailed) continue;
        format_component_failure(result, line);
        output_.write(LogLevel::kWarning, line.view());
    }
}

void ConsoleLog::write_progress(const Event& event) {
    if (!with_progress_ || event.total == 0) return;
    const uint64_t tenth = event.received * 10 / event.total;
    if (tenth < next_tenth_) return;
    next_tenth_ = tenth + 1;
    std::array<char, 64> text{};
    const int n = std::snprintf(text.data(), text.size(), "downloaded %lu of %lu KiB (%lu %%)",
                                static_cast<unsigned long>(event.received / 1024),
                                static_cast<unsigned long>(event.total / 1024),
                                static_cast<unsigned long>(event.received * 100 / event.total));
    if (n > 0) output_.write(LogLevel::kInfo, {text.data(), static_cast<size_t>(n)});
}

}  // namespace ota
