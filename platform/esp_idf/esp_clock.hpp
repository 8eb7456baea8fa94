#pragma once

#include <esp_timer.h>

#include <ctime>

#include "ports/clock.hpp"

namespace ota {

// esp_timer since the start; the time of day as the application's SNTP, or its RTC, has set it.
class EspClock final : public Clock {
  public:
    Micros micros() override { return static_cast<Micros>(esp_timer_get_time()); }
    UnixTime wall() override { return static_cast<UnixTime>(std::time(nullptr)); }
};

}  // namespace ota
