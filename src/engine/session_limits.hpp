// Waits, retries and step sizes of an update.
#pragma once

#include "base/status.hpp"
#include "ports/clock.hpp"

namespace ota {

inline constexpr Millis kNow = 0;
inline constexpr Millis kRest = 1000;      // nothing to do until a command or timer
inline constexpr Millis kPoll = 10;        // a source had nothing yet
inline constexpr Millis kPausePoll = 200;  // how often a red gate is asked again
inline constexpr Millis kStallTimeout =
    30000;  // a source that delivers nothing for so long has failed
inline constexpr Millis kLongestPause = 24ULL * 60 * 60 * 1000;
inline constexpr Millis kProgressInterval = 100;  // at most ten progress events a second
inline constexpr uint8_t kMaxRetries = 5;
inline constexpr uint32_t kReverifyStep = 16 * 4096;

constexpr Status engine_status(Code code, Detail detail) {
    return {code, Origin::kEngine, detail};
}

}  // namespace ota
