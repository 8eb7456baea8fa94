#pragma once

#include <array>

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
    // Everything that is outside its limits now, as InterlockBit; without margins.
    uint16_t interlock() const;
    // Does the battery carry no current worth speaking of? Without a fresh reading: no.
    bool is_at_rest() const;

  private:
    struct Finding {
        Verdict verdict;
        uint16_t bit = kInterlockNoData;
    };
    static constexpr size_t kFindings = 4;
    using Findings = std::array<Finding, kFindings>;

    // In the order in which they are told; the first alone when there are no values.
    Findings evaluate() const;
    Findings compare(const BatterySnapshot& now) const;

    Battery& battery_;
    Clock& clock_;
    SafetyThresholds thresholds_;
    Detail closed_by_ = Detail::kNone;  // that reading needs its margin to open again
};

}  // namespace ota
