#include "safety/plant_gate.hpp"
#include "support/fakes.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

struct Bench {
    VirtualClock clock;
    test::FakeBattery battery{clock};
    PlantGate gate{battery, clock};

    Detail check() { return gate.check(Phase::kDownload).reason.detail(); }
};

TEST(Verdict, IsNoByDefault) {
    EXPECT_FALSE(Verdict().safe());
    EXPECT_TRUE(Verdict::yes().safe());
}

TEST(PlantGate, DefaultsAreTheSpecifications) {
    Bench bench;
    bench.battery.values.soc_percent = 30;
    bench.battery.values.t_max_millicelsius = 45000;
    bench.battery.values.t_min_millicelsius = 0;
    bench.battery.values.current_milliampere = -10000;
    EXPECT_EQ(bench.check(), Detail::kNone);
}

TEST(PlantGate, EachReadingBeyondItsLimitClosesIt) {
    Bench soc;
    soc.battery.values.soc_percent = 29;
    const Verdict verdict = soc.gate.check(Phase::kReboot);
    EXPECT_EQ(verdict.reason.detail(), Detail::kSocLow);
    EXPECT_EQ(verdict.reading, 29);
    EXPECT_EQ(verdict.limit, 30);
    Bench hot;
    hot.battery.values.t_max_millicelsius = 45001;
    EXPECT_EQ(hot.check(), Detail::kTemperatureHigh);
    Bench cold;
    cold.battery.values.t_min_millicelsius = -1;
    EXPECT_EQ(cold.check(), Detail::kTemperatureLow);
    for (const int32_t current : {int32_t{10001}, int32_t{-10001}, INT32_MAX, INT32_MIN}) {
        Bench loaded;
        loaded.battery.values.current_milliampere = current;
        EXPECT_EQ(loaded.check(), Detail::kCurrentHigh) << current;
    }
}

TEST(PlantGate, OpensAgainOnlyWithSomeMargin) {
    Bench bench;
    bench.battery.values.soc_percent = 29;
    EXPECT_EQ(bench.check(), Detail::kSocLow);
    bench.battery.values.soc_percent = 31;
    EXPECT_EQ(bench.check(), Detail::kSocLow);
    bench.battery.values.soc_percent = 32;
    EXPECT_EQ(bench.check(), Detail::kNone);
    bench.battery.values.soc_percent = 30;
    EXPECT_EQ(bench.check(), Detail::kNone);
    bench.battery.values.t_max_millicelsius = 46000;
    EXPECT_EQ(bench.check(), Detail::kTemperatureHigh);
    bench.battery.values.t_max_millicelsius = 44000;
    EXPECT_EQ(bench.check(), Detail::kTemperatureHigh);
    bench.battery.values.t_max_millicelsius = 43000;
    bench.battery.values.soc_percent = 80;
    EXPECT_EQ(bench.check(), Detail::kNone);
}

TEST(PlantGate, FullBatteryCanAlwaysOpenIt) {
    Bench bench;
    SafetyThresholds thresholds;
    thresholds.min_soc_percent = 100;
    bench.gate.set_thresholds(thresholds);
    bench.battery.values.soc_percent = 99;
    EXPECT_EQ(bench.check(), Detail::kSocLow);
    bench.battery.values.soc_percent = 100;
    EXPECT_EQ(bench.check(), Detail::kNone);
}

TEST(PlantGate, OldDataIsUnsafe) {
    Bench bench;
    bench.battery.age = 5000;
    EXPECT_EQ(bench.check(), Detail::kNone);
    bench.battery.age = 5001;
    const Verdict verdict = bench.gate.check(Phase::kInstall);
    EXPECT_EQ(verdict.reason.detail(), Detail::kBatteryStale);
    EXPECT_EQ(verdict.reading, 5001);
}

TEST(PlantGate, NoProviderAndNoDataAreDifferentFindings) {
    Bench bench;
    bench.battery.status = {Code::kUnavailable, Origin::kSafety, Detail::kNoBatteryProvider};
    EXPECT_EQ(bench.check(), Detail::kNoBatteryProvider);
    bench.battery.status = {Code::kUnavailable, Origin::kSafety, Detail::kBatteryUnreadable};
    EXPECT_EQ(bench.check(), Detail::kBatteryUnreadable);
}

TEST(PlantGate, TheApplicationHasAVetoForEachPhase) {
    Bench bench;
    Phase forbidden = Phase::kReboot;
    bench.gate.set_callback(
        {[](Phase phase, void* user) { return phase != *static_cast<Phase*>(user); }, &forbidden});
    EXPECT_TRUE(bench.gate.check(Phase::kDownload).safe());
    EXPECT_EQ(bench.gate.check(Phase::kReboot).reason.detail(), Detail::kSafetyCallback);
    bench.gate.set_callback({});
    EXPECT_TRUE(bench.gate.check(Phase::kReboot).safe());
}

}  // namespace
}  // namespace ota
