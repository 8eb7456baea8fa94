#pragma once

#include <ctime>

#include "ports/clock.hpp"

namespace ota {

class RealClock final : public Clock {
  public:
    Millis now() override {
        timespec time{};
        clock_gettime(CLOCK_MONOTONIC, &time);
        return static_cast<Millis>(time.tv_sec) * 1000 +
               static_cast<Millis>(time.tv_nsec) / 1000000;
    }
};

}  // namespace ota
