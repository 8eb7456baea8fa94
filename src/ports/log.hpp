// Log lines on their way to a console, a card or a cloud.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "ports/clock.hpp"

namespace ota {

// In the order of ota_log_level_t, behind its "off".
enum class LogLevel : uint8_t { kOff, kError, kWarning, kInfo, kDebug };
inline constexpr std::array<std::string_view, 5> kLogLevelNames = {"off", "error", "warning",
                                                                   "info", "debug"};

inline constexpr size_t kMaxLogLine = 256;    // characters
inline constexpr size_t kMaxLogMetric = 704;  // characters of a set of metrics

struct LogRecord {
    LogLevel level = LogLevel::kInfo;
    bool is_metric = false;  // text is a JSON object in CloudWatch's embedded metric format
    std::string_view tag;
    std::string_view text;  // printable, without a line end; at most kMaxLogLine or kMaxLogMetric
    uint32_t boot = 0;      // of this start of the device: random
    uint32_t sequence = 0;  // counts the lines since, from 1; not the metrics
    Millis at = 0;          // Clock::now()
    UnixTime wall = 0;      // Clock::wall(); 0: nobody has set it
};

class LogSink {
  public:
    // Engine context; must not block. The texts are good during the call alone.
    virtual void take(const LogRecord& record) = 0;

  protected:
    ~LogSink() = default;
};

}  // namespace ota
