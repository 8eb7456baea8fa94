// Takes log lines down.
#pragma once

#include <string>
#include <vector>

#include "ports/log.hpp"

namespace test {

struct LogSinkOfTest final : ota::LogSink {
    void take(const ota::LogRecord& record) override {
        lines.emplace_back(record.text);
        last = record;
        last.tag = last.text = {};
    }
    std::vector<std::string> lines;
    ota::LogRecord last;
};

inline ota::LogRecord log_record(std::string_view text, ota::Millis at, uint32_t sequence = 1,
                                 ota::LogLevel level = ota::LogLevel::kInfo) {
    ota::LogRecord record;
    record.level = level;
    record.tag = "ota_manager";
    record.text = text;
    record.boot = 0x1A2B3C4D;
    record.sequence = sequence;
    record.at = at;
    return record;
}

}  // namespace test
