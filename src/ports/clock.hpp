#pragma once

#include <cstdint>

namespace ota {

// Since an arbitrary start; monotonic, 64 bits, never wraps.
using Millis = uint64_t;
using Micros = uint64_t;

// Seconds since 1970-01-01T00:00:00Z.
using UnixTime = int64_t;

class Clock {
  public:
    virtual Micros micros() = 0;
    Millis now() { return micros() / 1000; }

    // The time of day as the device has it: near 1970 until somebody has set it. Not monotonic.
    virtual UnixTime wall() = 0;

  protected:
    ~Clock() = default;
};

// No firmware with this code is older: 2026-01-01.
inline constexpr UnixTime kFirstBuild = 1767225600;

// What is known about the time of day without a clock. A clock that has been set is believed, also
// when it was wrong before: a floor that nothing lowers could make every certificate look expired.
struct TimeFloor {
    UnixTime built = kFirstBuild;  // of the running image, where it says so
    UnixTime proven = 0;           // at the latest, a server proved itself; of an earlier boot

    bool is_set(UnixTime wall) const { return wall >= built; }
    // The time at which certificates are judged.
    UnixTime judge_at(UnixTime wall) const {
        if (is_set(wall)) return wall;
        return built > proven ? built : proven;
    }
};

}  // namespace ota
