#pragma once

#include "ports/clock.hpp"

namespace ota {

// Time that passes only when a test says so.
class VirtualClock final : public Clock {
  public:
    Micros micros() override { return micros_; }
    void advance(Millis by) { micros_ += by * 1000; }
    void advance_micros(uint64_t by) { micros_ += by; }
    UnixTime wall() override { return wall_at_start_ + seconds(); }
    void set_wall(UnixTime time) { wall_at_start_ = time - seconds(); }

  private:
    UnixTime seconds() const { return static_cast<UnixTime>(micros_ / 1000000); }

    uint64_t micros_ = 1000;
    UnixTime wall_at_start_ = 0;
};

}  // namespace ota
