#include "observe/log.hpp"

#include <algorithm>
#include <span>

#include "base/status_text.hpp"
#include "base/text.hpp"

namespace ota {
namespace {

// What a peer says can't start a line of its own, nor steer a terminal.
void make_printable(LogLine& line) {
    const std::string_view text = line.view();
    if (std::all_of(text.begin(), text.end(), is_printable)) return;
    LogLine clean;
    for (const char& c : text) clean.append({is_printable(c) ? &c : "?", 1});
    line = clean;
}

}  // namespace

void LogValue::append_to(LogLine& line) const {
    switch (kind_) {
        case Kind::kText:
            return line.append(text_);
        case Kind::kStatus:
            return line.append(status_text(status_));
        case Kind::kSigned:
            if (number_ < 0) line.append("-");
            return append_decimal(line, number_ < 0 ? uint64_t{0} - static_cast<uint64_t>(number_)
                                                    : static_cast<uint64_t>(number_));
        case Kind::kUnsigned:
            return append_decimal(line, static_cast<uint64_t>(number_));
    }
}

size_t Log::add_sink(LogSink& sink, LogLevel level) {
    OTA_ASSERT(sink_count_ < kMaxSinks);
    sinks_[sink_count_] = &sink;
    levels_[sink_count_] = level;
    return sink_count_++;
}

bool Log::reaches_anybody(LogLevel level) const {
    return std::any_of(levels_.begin(), levels_.end(),
                       [&](const std::atomic<LogLevel>& own) { return level <= own; });
}

void Log::write_values(LogLevel level, const char* tag, const char* format,
                       std::span<const LogValue> values) {
    if (!reaches_anybody(level)) return;
    LogLine line;
    size_t next = 0;
    for (const char* at = format; *at != '\0'; ++at) {
        if (at[0] == '{' && at[1] == '}') {
            values[next++].append_to(line);
            ++at;
        } else {
            line.append({at, 1});
        }
    }
    write_line(level, tag, format, line.view());
}

// Its entry, or that of the kind which has been quiet for longest.
Log::Flood& Log::flood_of(const void* kind) {
    const Millis now = clock_.now();
    Flood* found = floods_.data();
    for (Flood& flood : floods_) {
        if (flood.kind == kind) found = &flood;
        // One that has left lines out is the last to go.
        const bool is_better =
            flood.left_out != 0 ? false : found->left_out != 0 || flood.since < found->since;
        if (found->kind != kind && is_better) found = &flood;
    }
    if (found->kind != kind) *found = {kind, now, 0, 0};
    if (now - found->since >= kWindow) {
        found->since = now;
        found->lines = 0;
    }
    return *found;
}

void Log::write_line(LogLevel level, const char* tag, const void* kind, std::string_view text) {
    if (!reaches_anybody(level)) return;
    Flood& flood = flood_of(kind);
    if (flood.lines == kMostInAWindow) {
        ++flood.left_out;
        return;
    }
    ++flood.lines;
    LogLine line(text);
    make_printable(line);
    if (flood.left_out != 0) {
        line.append(" (lines like it that were left out: ");
        append_decimal(line, flood.left_out);
        line.append(")");
        flood.left_out = 0;
    }
    LogRecord record;
    record.level = level;
    record.tag = tag;
    record.text = line.view();
    give(record);
}

void Log::write_metrics(std::string_view json) {
    LogRecord record;
    record.is_metric = true;
    record.tag = "metrics";
    record.text = json;
    give(record);
}

void Log::give(LogRecord& record) {
    record.boot = boot_;
    if (!record.is_metric) record.sequence = ++sequence_;
    record.at = clock_.now();
    const UnixTime wall = clock_.wall();
    if (floor_.is_set(wall)) record.wall = wall;
    for (size_t i = 0; i < sink_count_; ++i) {
        if (record.is_metric || record.level <= levels_[i]) sinks_[i]->take(record);
    }
}

}  // namespace ota
