#pragma once

#include <ctime>

#include "ports/clock.hpp"

namespace ota {

// The host's clocks. scale > 1 lets the manager's time pass faster, for waits that are long on the
// device; offset moves the time of day, for a device whose clock is not set.
class RealClock final : public Clock {
  public:
    explicit RealClock(uint32_t scale = 1, int64_t offset = 0) : scale_(scale), offset_(offset) {}

    Micros micros() override {
        timespec time{};
        clock_gettime(CLOCK_MONOTONIC, &time);
        return (static_cast<Micros>(time.tv_sec) * 1000000 +
                static_cast<Micros>(time.tv_nsec) / 1000) *
               scale_;
    }
    UnixTime wall() override {
        timespec time{};
        clock_gettime(CLOCK_REALTIME, &time);
        return static_cast<UnixTime>(time.tv_sec) + offset_;
    }

  private:
    const uint32_t scale_;
    const int64_t offset_;
};

}  // namespace ota
