// The battery interlock in every phase of an update.
#include "engine/update_bench.hpp"

namespace ota {
namespace {

TEST(Interlock, GivingUpAfterALongPauseForgetsTheRestart) {
    UpdateBench device;
    ASSERT_TRUE(device.download());
    (void)device.post(CommandKind::kApply);
    ASSERT_TRUE(device.run_until([&] { return device.boot_status().boot == 1; }));
    device.battery.values.soc_percent = 10;
    ASSERT_TRUE(device.run_to(State::kFailed, 25ULL * 3600000));
    device.battery.values.soc_percent = 80;
    ASSERT_TRUE(device.boot());
    (void)device.run_until([] { return false; }, 60000);
    EXPECT_FALSE(device.restart_requested());
    EXPECT_EQ(device.running(), 0);
}

TEST(Interlock, LowBatteryRefusesTheStart) {
    UpdateBench device;
    device.battery.values.soc_percent = 29;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.detail(), Detail::kSocLow);
    EXPECT_EQ(device.manager().snapshot().reading, 29);
    EXPECT_EQ(device.manager().snapshot().limit, 30);
}

TEST(Interlock, NoProviderRefusesTheStart) {
    UpdateBench device;
    device.battery.status = {Code::kUnavailable, Origin::kSafety, Detail::kNoBatteryProvider};
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.detail(), Detail::kNoBatteryProvider);
}

TEST(Interlock, PausesTheDownloadAndGoesOn) {
    UpdateBench device;
    device.source.chunk = 512;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_until([&] { return device.source.bytes_read > 10000; }));
    device.battery.values.soc_percent = 29;
    ASSERT_TRUE(device.run_until([&] { return device.events.count(Notice::kPaused) == 1; }));
    const uint64_t operations = device.flash.operations();
    (void)device.run_until([] { return false; }, 3600000);  // an hour: no stall timer, no retry
    EXPECT_EQ(device.state(), State::kDownloading);
    EXPECT_EQ(device.flash.operations(), operations);
    EXPECT_FALSE(device.source.open);
    EXPECT_TRUE(device.manager().snapshot().paused);
    EXPECT_EQ(device.events.last(Notice::kPaused)->reading, 29);
    device.battery.values.soc_percent = 31;  // within the hysteresis
    (void)device.run_until([] { return false; }, 1000);
    EXPECT_EQ(device.events.count(Notice::kResumed), 0U);
    device.battery.values.soc_percent = 32;
    ASSERT_TRUE(device.run_to(State::kReadyToApply));
    EXPECT_EQ(device.events.count(Notice::kPaused), 1U);
    EXPECT_EQ(device.events.count(Notice::kResumed), 1U);
}

TEST(Interlock, APauseHasAnEnd) {
    UpdateBench device;
    device.source.chunk = 512;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_until([&] { return device.source.bytes_read > 10000; }));
    device.battery.age = 6000;
    EXPECT_FALSE(device.run_to(State::kFailed, 23ULL * 3600000));
    ASSERT_TRUE(device.run_to(State::kFailed, 2ULL * 3600000));
    EXPECT_EQ(device.detail(), Detail::kPausedTooLong);
}

TEST(Interlock, WaitsForTheRebootGateBeforeArming) {
    UpdateBench device;
    ASSERT_TRUE(device.download());
    device.battery.values.current_milliampere = 50000;
    (void)device.post(CommandKind::kApply);
    (void)device.run_until([] { return false; }, 600000);
    EXPECT_EQ(device.state(), State::kApplying);
    EXPECT_EQ(device.boot_status().boot, 0);
    device.battery.values.current_milliampere = 0;
    EXPECT_TRUE(device.run_until([&] { return device.restart_requested(); }));
}

TEST(Interlock, RedBetweenArmingAndRestartDisarms) {
    UpdateBench device;
    ASSERT_TRUE(device.download());
    (void)device.post(CommandKind::kApply);
    ASSERT_TRUE(device.run_until([&] { return device.boot_status().boot == 1; }));
    device.battery.values.soc_percent = 10;
    device.step();
    EXPECT_EQ(device.boot_status().boot, 0);
    EXPECT_EQ(device.state(), State::kApplying);
    device.battery.values.soc_percent = 80;
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_EQ(device.running(), 1);
}

TEST(Interlock, SafetyCallbackIsAskedForEachPhase) {
    UpdateBench device;
    static std::array<int, 3> asked;
    asked = {};
    device.safety = {[](Phase phase, void*) {
                         ++asked[static_cast<size_t>(phase)];
                         return true;
                     },
                     nullptr};
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.download());
    (void)device.post(CommandKind::kApply);
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    for (const int count : asked) EXPECT_GT(count, 0);
}

}  // namespace
}  // namespace ota
