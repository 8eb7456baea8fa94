#pragma once

#include "safety/battery_gate.hpp"

namespace ota {

// The application's own say; null function = no objection.
struct SafetyCallback {
    bool (*is_safe)(Phase phase, void* user) = nullptr;
    void* user = nullptr;
};

// Everything that has to agree before an update moves: battery first, then the application.
class PlantGate final : public SafetyGate {
  public:
    PlantGate(Battery& battery, Clock& clock) : battery_(battery, clock) {}

    void set_thresholds(const SafetyThresholds& thresholds) { battery_.set_thresholds(thresholds); }
    void set_callback(const SafetyCallback& callback) { callback_ = callback; }

    Verdict check(Phase phase) override {
        const Verdict battery = battery_.check();
        if (!battery.safe()) return battery;
        if (callback_.is_safe != nullptr && !callback_.is_safe(phase, callback_.user)) {
            return Verdict::no(Detail::kSafetyCallback, static_cast<int32_t>(phase), 0);
        }
        return Verdict::yes();
    }

    // Everything that says no now, as InterlockBit.
    uint16_t interlock() const {
        const bool custom =
            callback_.is_safe != nullptr && !callback_.is_safe(Phase::kInstall, callback_.user);
        return static_cast<uint16_t>(battery_.interlock() | (custom ? kInterlockCustom : 0));
    }

    bool is_at_rest() const { return battery_.is_at_rest(); }

  private:
    BatteryGate battery_;
    SafetyCallback callback_;
};

}  // namespace ota
