#pragma once

#include "ports/clock.hpp"

namespace ota {

// Time that passes only when a test says so.
class VirtualClock final : public Clock {
  public:
    Millis now() override { return now_; }
    void advance(Millis by) { now_ += by; }

  private:
    Millis now_ = 1;
};

}  // namespace ota
