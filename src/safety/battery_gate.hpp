#pragma once

#include "ports/battery.hpp"
#include "ports/mailbox.hpp"
#include "ports/safety.hpp"

namespace ota {

// Battery conditions with hysteresis: the reading that closed the gate opens it again only with
// some margin, so that a value at its limit does not make the update stutter.
class BatteryGate {
  public:
    BatteryGate(Battery& battery, Clock& clock) : battery_(battery), clock_(clock) {}

    void set_thresholds(const SafetyThresholds& thresholds) { thresholds_ = thresholds; }
    Verdict check();

  private:
    Verdict evaluate() const;
    Verdict compare(const BatterySnapshot& now) const;

    Battery& battery_;
    Clock& clock_;
    SafetyThresholds thresholds_;
    Detail closed_by_ = Detail::kNone;  // that reading needs its margin to open again
};

}  // namespace ota
