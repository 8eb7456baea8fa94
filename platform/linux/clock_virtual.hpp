#pragma once

#include "ports/clock.hpp"

namespace ota {

// Time that passes only when a test says so.
class VirtualClock final : public Clock {
  public:
    Millis now() override { return now_; }
    void advance(Millis by) { now_ += by; }
    UnixTime wall() override { return wall_at_start_ + static_cast<UnixTime>(now_ / 1000); }
    void set_wall(UnixTime time) { wall_at_start_ = time - static_cast<UnixTime>(now_ / 1000); }

  private:
    Millis now_ = 1;
    UnixTime wall_at_start_ = 0;
};

}  // namespace ota
