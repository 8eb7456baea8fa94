#pragma once

#include <cstdio>

#include "ports/log.hpp"

namespace ota {

// Lines in the shape of ESP_LOG: level letter, tag, text.
class ConsoleOutput final : public LogSink {
  public:
    void take(const LogRecord& record) override {
        static constexpr char kLetters[] = {'-', 'E', 'W', 'I', 'D'};
        if (record.is_metric) return;
        std::printf("%c %.*s: %.*s\n", kLetters[static_cast<size_t>(record.level)],
                    static_cast<int>(record.tag.size()), record.tag.data(),
                    static_cast<int>(record.text.size()), record.text.data());
        std::fflush(stdout);
    }
};

}  // namespace ota
