#pragma once

#include <cstdint>
#include <string_view>

namespace ota {

enum class LogLevel : uint8_t { kError, kWarning, kInfo };

// Takes finished log lines (ESP_LOG on the device, stdout on the twin).
class LineOutput {
  public:
    // Engine context; line has no line end and at most kMaxLogLine characters.
    virtual void write(LogLevel level, std::string_view line) = 0;

  protected:
    ~LineOutput() = default;
};

inline constexpr size_t kMaxLogLine = 256;

}  // namespace ota
