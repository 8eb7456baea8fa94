// The interlock as a matrix, and under batteries that wander for hours.
#include "engine/update_bench.hpp"

namespace ota {
namespace {

// One reading with its limit: how to set it, and the last safe and the first unsafe value.
struct Edge {
    Detail detail;
    void (*set)(BatterySnapshot&, int32_t);
    int32_t safe;
    int32_t unsafe;
    int32_t with_margin;  // the value that opens again
};
const Edge kEdges[] = {
    {Detail::kSocLow, [](BatterySnapshot& b, int32_t v) { b.soc_percent = v; }, 30, 29, 32},
    {Detail::kTemperatureHigh, [](BatterySnapshot& b, int32_t v) { b.t_max_millicelsius = v; },
     45000, 45001, 43000},
    {Detail::kTemperatureLow, [](BatterySnapshot& b, int32_t v) { b.t_min_millicelsius = v; }, 0,
     -1, 2000},
    {Detail::kCurrentHigh, [](BatterySnapshot& b, int32_t v) { b.current_milliampere = v; }, 10000,
     10001, 9000},
    {Detail::kCurrentHigh, [](BatterySnapshot& b, int32_t v) { b.current_milliampere = v; }, -10000,
     -10001, -9000},
};

// Phase x reading x edge x staleness x hysteresis.
TEST(InterlockMatrix, EveryPhaseReadingAndEdge) {
    for (const Phase phase : {Phase::kDownload, Phase::kInstall, Phase::kReboot}) {
        for (const Edge& edge : kEdges) {
            VirtualClock clock;
            clock.advance(100000);
            test::FakeBattery battery(clock);
            PlantGate gate(battery, clock);
            const auto verdict = [&](int32_t value) {
                edge.set(battery.values, value);
                return gate.check(phase).reason.detail();
            };
            EXPECT_EQ(verdict(edge.safe), Detail::kNone);
            EXPECT_EQ(verdict(edge.unsafe), edge.detail);
            EXPECT_EQ(verdict(edge.safe), edge.detail);  // at its limit it stays closed
            const int32_t step = edge.with_margin > edge.unsafe ? 1 : -1;
            EXPECT_EQ(verdict(edge.with_margin - step), edge.detail);
            EXPECT_EQ(verdict(edge.with_margin), Detail::kNone);
            EXPECT_EQ(verdict(edge.safe), Detail::kNone);  // and open until it is unsafe again
            // Good values that are too old say nothing; fresh ones do at once.
            battery.age = kBatteryMaxAge;
            EXPECT_EQ(verdict(edge.safe), Detail::kNone);
            battery.age = kBatteryMaxAge + 1;
            EXPECT_EQ(verdict(edge.safe), Detail::kBatteryStale);
            battery.age = 0;
            EXPECT_EQ(verdict(edge.safe), Detail::kNone);
        }
    }
}

bool is_beyond_limits(const test::FakeBattery& battery) {
    const BatterySnapshot& b = battery.values;
    return !battery.status.ok() || battery.age > kBatteryMaxAge || b.soc_percent < 30 ||
           b.t_max_millicelsius > 45000 || b.t_min_millicelsius < 0 ||
           b.current_milliampere > 10000 || b.current_milliampere < -10000;
}

// Nothing reaches the standby slot while a reading is beyond its limit.
class SlotWatch final : public FlashObserver {
  public:
    SlotWatch(const test::FakeBattery& battery, uint32_t from, uint32_t to)
        : battery_(battery), from_(from), to_(to) {}
    void on_operation(const FlashOperation& operation) override {
        if (operation.address < from_ || operation.address >= to_) return;
        ++operations;
        if (is_beyond_limits(battery_)) ++violations;
    }
    void on_power_lost() override {}
    uint32_t operations = 0;
    uint32_t violations = 0;

  private:
    const test::FakeBattery& battery_;
    const uint32_t from_;
    const uint32_t to_;
};

class Walk {
  public:
    explicit Walk(uint32_t seed) : state_(seed * 2654435761U + 1) {}
    // From -spread to spread.
    int32_t step(int32_t spread) {
        state_ = state_ * 1664525U + 1013904223U;
        return static_cast<int32_t>(state_ >> 8) % (2 * spread + 1) - spread;
    }

  private:
    uint32_t state_;
};

void wander(test::FakeBattery& battery, Walk& walk) {
    const auto keep = [](int32_t value, int32_t low, int32_t high) {
        return std::clamp<int32_t>(value, low, high);
    };
    BatterySnapshot& b = battery.values;
    b.soc_percent = keep(b.soc_percent + walk.step(2), 20, 60);
    b.t_max_millicelsius = keep(b.t_max_millicelsius + walk.step(1500), 20000, 50000);
    b.t_min_millicelsius = keep(b.t_min_millicelsius + walk.step(1500), -5000, 20000);
    b.current_milliampere = keep(b.current_milliampere + walk.step(2500), -14000, 14000);
    battery.age = walk.step(100) > 96 ? 8000 : 0;
    const bool silent = walk.step(100) > 98;
    battery.status = silent
                         ? Status{Code::kUnavailable, Origin::kSafety, Detail::kBatteryUnreadable}
                         : kOkStatus;
}

TEST(InterlockWalk, HoursOfAWanderingBatteryNeverWriteWhileUnsafe) {
    uint32_t finished = 0;
    uint32_t paused = 0;
    for (uint32_t seed = 1; seed <= 20; ++seed) {
        UpdateBench device;
        SlotWatch watch(device.battery, device.table().slot(1)->offset,
                        device.table().slot(1)->offset + device.table().slot(1)->size);
        device.flash.set_observer(&watch);
        device.source.chunk = 512;
        device.source.idle_reads = 300;  // three seconds for each piece: minutes in all
        Walk walk(seed);
        const Millis end = device.clock.now() + 12 * 3600000ULL;
        Millis next = 0;
        while (device.clock.now() < end && !device.restart_requested()) {
            if (device.clock.now() >= next) {
                wander(device.battery, walk);
                next = device.clock.now() + 2000;
            }
            const State state = device.state();
            if (state == State::kIdle || state == State::kFailed) {
                (void)device.post(CommandKind::kStartUpdate);
            } else if (state == State::kReadyToApply) {
                (void)device.post(CommandKind::kApply);
            }
            const size_t completed = device.signal.entries.size();
            device.step();
            for (size_t i = completed; i < device.signal.entries.size(); ++i) {
                const bool now = device.signal.entries[i] == State::kComplete;
                EXPECT_TRUE(!now || !is_beyond_limits(device.battery)) << seed;
            }
        }
        EXPECT_EQ(watch.violations, 0U) << seed;
        paused += device.events.count(Notice::kPaused) > 0 ? 1 : 0;
        finished += device.restart_requested() ? 1 : 0;
    }
    EXPECT_TRUE(paused >= 15) << paused;      // the walks do cross the limits …
    EXPECT_TRUE(finished >= 15) << finished;  // … and the updates end all the same
}

}  // namespace
}  // namespace ota
