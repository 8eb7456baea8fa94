#include "safety/battery_gate.hpp"

#include <algorithm>

namespace ota {
namespace {

// Margins for opening again; about twice the noise of BMS readings at rest.
constexpr int32_t kSocMargin = 2;             // %
constexpr int32_t kTemperatureMargin = 2000;  // m°C
constexpr int32_t kCurrentMargin = 1000;      // mA
constexpr int32_t kRestCurrent = 1000;        // mA, what the plant itself takes

int32_t magnitude(int32_t value) {
    if (value == INT32_MIN) return INT32_MAX;
    return value < 0 ? -value : value;
}

}  // namespace

Verdict BatteryGate::check() {
    const Findings findings = evaluate();
    const auto first = std::find_if(findings.begin(), findings.end(),
                                    [](const Finding& finding) { return !finding.verdict.safe(); });
    const Verdict verdict = first == findings.end() ? Verdict::yes() : first->verdict;
    closed_by_ = verdict.reason.detail();
    return verdict;
}

uint16_t BatteryGate::interlock() const {
    uint16_t bits = 0;
    for (const Finding& finding : evaluate()) {
        if (!finding.verdict.safe()) bits = static_cast<uint16_t>(bits | finding.bit);
    }
    return bits;
}

bool BatteryGate::is_at_rest() const {
    BatterySnapshot now;
    if (!battery_.snapshot(now).ok()) return false;
    const int64_t age = static_cast<int64_t>(clock_.now()) - now.taken_at;
    return age <= kBatteryMaxAge && magnitude(now.current_milliampere) <= kRestCurrent;
}

BatteryGate::Findings BatteryGate::evaluate() const {
    Findings blind;
    blind.fill({Verdict::yes(), 0});
    BatterySnapshot now;
    const Status status = battery_.snapshot(now);
    if (!status.ok()) {
        const bool none = status.detail() == Detail::kNoBatteryProvider;
        blind[0] = {
            Verdict::no(none ? Detail::kNoBatteryProvider : Detail::kBatteryUnreadable, 0, 0)};
        return blind;
    }
    const int64_t age = static_cast<int64_t>(clock_.now()) - now.taken_at;
    if (age <= kBatteryMaxAge) return compare(now);
    blind[0] = {Verdict::no(Detail::kBatteryStale,
                            static_cast<int32_t>(std::min<int64_t>(age, INT32_MAX)),
                            static_cast<int32_t>(kBatteryMaxAge))};
    return blind;
}

BatteryGate::Findings BatteryGate::compare(const BatterySnapshot& now) const {
    const auto margin = [&](Detail detail, int32_t width) {
        return closed_by_ == detail ? width : 0;
    };
    const auto judge = [](bool is_good, Detail detail, int32_t reading, int32_t limit) {
        return is_good ? Verdict::yes() : Verdict::no(detail, reading, limit);
    };
    const int32_t soc =
        std::min<int32_t>(thresholds_.min_soc_percent + margin(Detail::kSocLow, kSocMargin), 100);
    const int32_t hot = thresholds_.max_temperature_millicelsius -
                        margin(Detail::kTemperatureHigh, kTemperatureMargin);
    const int32_t cold = thresholds_.min_temperature_millicelsius +
                         margin(Detail::kTemperatureLow, kTemperatureMargin);
    const int32_t current = std::max<int32_t>(
        thresholds_.max_current_milliampere - margin(Detail::kCurrentHigh, kCurrentMargin), 0);
    return {{{judge(now.soc_percent >= soc, Detail::kSocLow, now.soc_percent, soc), kInterlockSoc},
             {judge(now.t_max_millicelsius <= hot, Detail::kTemperatureHigh, now.t_max_millicelsius,
                    hot),
              kInterlockHot},
             {judge(now.t_min_millicelsius >= cold, Detail::kTemperatureLow, now.t_min_millicelsius,
                    cold),
              kInterlockCold},
             {judge(magnitude(now.current_milliampere) <= current, Detail::kCurrentHigh,
                    now.current_milliampere, current),
              kInterlockCurrent}}};
}

}  // namespace ota
