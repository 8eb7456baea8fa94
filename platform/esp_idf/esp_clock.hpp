#pragma once

#include <esp_timer.h>

#include <ctime>

#include "ports/clock.hpp"

namespace ota {

// esp_timer since the start; the time of day as the application's SNTP, or its RTC, has set it.
class EspClock final : public Clock {
  public:
    Millis now() override { return static_cast<Millis>(esp_timer_get_time()) / 1000; }
    UnixTime wall() override { return static_cast<UnixTime>(std::time(nullptr)); }
};

}  // namespace ota
