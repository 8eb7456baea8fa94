#pragma once

#include <cstdint>

namespace ota {

// Milliseconds since an arbitrary start; monotonic, 64 bits, never wraps.
using Millis = uint64_t;

// Seconds since 1970-01-01T00:00:00Z.
using UnixTime = int64_t;

class Clock {
  public:
    virtual Millis now() = 0;

    // The time of day as the device has it: near 1970 until somebody has set it. Not monotonic.
    virtual UnixTime wall() = 0;

  protected:
    ~Clock() = default;
};

// The time of day is certainly not before this: the running image was built then, or an earlier
// boot knew it. A clock that says less is not set.
struct TimeFloor {
    UnixTime seconds = 0;
};

}  // namespace ota
