#pragma once

#include <cstdio>

#include "ports/line_output.hpp"

namespace ota {

// Lines in the shape of ESP_LOG: level letter, tag, text.
class ConsoleOutput final : public LineOutput {
  public:
    void write(LogLevel level, std::string_view line) override {
        static constexpr char kLetters[] = {'E', 'W', 'I'};
        std::printf("%c ota_manager: %.*s\n", kLetters[static_cast<size_t>(level)],
                    static_cast<int>(line.size()), line.data());
        std::fflush(stdout);
    }
};

}  // namespace ota
