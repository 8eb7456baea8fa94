// Waits, retries and step sizes of an update.
#pragma once

#include "base/status.hpp"
#include "ports/clock.hpp"

namespace ota {

inline constexpr Millis kNow = 0;
inline constexpr Millis kRest = 1000;      // nothing to do until a command or timer
inline constexpr Millis kPoll = 10;        // a source had nothing yet
inline constexpr Millis kPushPoll = 1;     // … where a peer fills a window of a few KiB
inline constexpr Millis kPausePoll = 200;  // how often a red gate is asked again
// A source that delivers nothing for so long has failed.
inline constexpr Millis kStallTimeout = 30000;
// So has one that delivers less than this in such a time. The slowest link, Modbus RTU at 9600
// baud, brings 48 KiB.
inline constexpr Millis kRateWindow = 60000;
inline constexpr uint64_t kMinBytesPerWindow = 1024;
inline constexpr Millis kCheckTimeout = 60000;  // for the first bytes of one candidate
// A closed gate keeps the connection for so long.
inline constexpr Millis kKeepOpenInPause = 30000;
inline constexpr Millis kLongestPause = 24ULL * 60 * 60 * 1000;
// A package that waits for its time longer than this has failed.
inline constexpr UnixTime kLongestWait = 14 * 86400;  // s
inline constexpr Millis kProgressInterval = 100;      // at most ten progress events a second
// Retries without kProgressOfRetry bytes in between; with the back-off about two minutes.
inline constexpr uint8_t kMaxRetries = 8;
inline constexpr uint64_t kProgressOfRetry = 1024;
// A peer that wants to be left alone for longer ends the attempt; a later check continues it.
inline constexpr Millis kLongestRetryWait = 600000;
// The time of day is saved so often at most: one journal sector in four months.
inline constexpr UnixTime kSaveTimeInterval = 86400;  // s
// How far a build host's clock and time zone may be ahead.
inline constexpr UnixTime kBuildTimeSlack = 172800;  // s
// One command to one module board: an image of 2 MB at 1 kB/s of a busy bus, and its restart.
inline constexpr Millis kLongestBoard = 3600000;
inline constexpr uint8_t kMaxBoardFailures = 5;  // of attempts with one package
inline constexpr Millis kBoardRest = 24ULL * 60 * 60 * 1000;
inline constexpr uint32_t kReverifyStep = 16 * 4096;

constexpr Status engine_status(Code code, Detail detail) {
    return {code, Origin::kEngine, detail};
}

}  // namespace ota
