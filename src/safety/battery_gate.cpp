#include "safety/battery_gate.hpp"

#include <algorithm>

namespace ota {
namespace {

// Margins for opening again; about twice the noise of BMS readings at rest.
constexpr int32_t kSocMargin = 2;             // %
constexpr int32_t kTemperatureMargin = 2000;  // m°C
constexpr int32_t kCurrentMargin = 1000;      // mA

int32_t magnitude(int32_t value) {
    if (value == INT32_MIN) return INT32_MAX;
    return value < 0 ? -value : value;
}

}  // namespace

Verdict BatteryGate::check() {
    const Verdict verdict = evaluate();
    closed_by_ = verdict.reason.detail();
    return verdict;
}

Verdict BatteryGate::evaluate() const {
    BatterySnapshot now;
    const Status status = battery_.snapshot(now);
    if (!status.ok()) {
        const bool none = status.detail() == Detail::kNoBatteryProvider;
        return Verdict::no(none ? Detail::kNoBatteryProvider : Detail::kBatteryUnreadable, 0, 0);
    }
    const int64_t age = static_cast<int64_t>(clock_.now()) - now.taken_at;
    if (age > kBatteryMaxAge) {
        return Verdict::no(Detail::kBatteryStale,
                           static_cast<int32_t>(std::min<int64_t>(age, INT32_MAX)),
                           static_cast<int32_t>(kBatteryMaxAge));
    }
    return compare(now);
}

Verdict BatteryGate::compare(const BatterySnapshot& now) const {
    const auto margin = [&](Detail detail, int32_t width) {
        return closed_by_ == detail ? width : 0;
    };
    const int32_t soc =
        std::min<int32_t>(thresholds_.min_soc_percent + margin(Detail::kSocLow, kSocMargin), 100);
    if (now.soc_percent < soc) return Verdict::no(Detail::kSocLow, now.soc_percent, soc);
    const int32_t hot = thresholds_.max_temperature_millicelsius -
                        margin(Detail::kTemperatureHigh, kTemperatureMargin);
    if (now.t_max_millicelsius > hot) {
        return Verdict::no(Detail::kTemperatureHigh, now.t_max_millicelsius, hot);
    }
    const int32_t cold = thresholds_.min_temperature_millicelsius +
                         margin(Detail::kTemperatureLow, kTemperatureMargin);
    if (now.t_min_millicelsius < cold) {
        return Verdict::no(Detail::kTemperatureLow, now.t_min_millicelsius, cold);
    }
    const int32_t current = std::max<int32_t>(
        thresholds_.max_current_milliampere - margin(Detail::kCurrentHigh, kCurrentMargin), 0);
    if (magnitude(now.current_milliampere) > current) {
        return Verdict::no(Detail::kCurrentHigh, now.current_milliampere, current);
    }
    return Verdict::yes();
}

}  // namespace ota
