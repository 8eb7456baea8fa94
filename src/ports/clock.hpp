#pragma once

#include <cstdint>

namespace ota {

// Milliseconds since an arbitrary start; monotonic, 64 bits, never wraps.
using Millis = uint64_t;

class Clock {
  public:
    virtual Millis now() = 0;

  protected:
    ~Clock() = default;
};

}  // namespace ota
