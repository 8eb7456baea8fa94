#pragma once

#include "base/status.hpp"
#include "ports/clock.hpp"

namespace ota {

struct BatterySnapshot {
    int32_t soc_percent = 0;          // 0…100
    int32_t t_min_millicelsius = 0;   // coldest cell
    int32_t t_max_millicelsius = 0;   // hottest cell
    int32_t current_milliampere = 0;  // signed; the interlock looks at the magnitude
    uint32_t usable_energy_mwh = 0;   // what can be drawn now
    int64_t taken_at = 0;             // ms on the manager's clock; negative: before its start
};

// Older readings count as unsafe: the BMS may have stopped talking.
inline constexpr int64_t kBatteryMaxAge = 5000;  // ms

class Battery {
  public:
    // Engine context, non-blocking. kUnavailable / kNoBatteryProvider when there is none,
    // kUnavailable / kBatteryUnreadable when the BMS gives no data.
    virtual Status snapshot(BatterySnapshot& out) = 0;

  protected:
    ~Battery() = default;
};

}  // namespace ota
