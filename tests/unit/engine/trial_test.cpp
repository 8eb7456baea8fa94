// What happens after the restart: trial, confirmation, revert.
#include "engine/trial_bench.hpp"

namespace ota {
namespace {

TEST(Trial, StatusIsIdleAndNothingNewBegins) {
    TrialBench device;
    device.probe.health = Health::kPending;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    device.step();
    EXPECT_EQ(device.state(), State::kIdle);
    EXPECT_TRUE(device.manager().snapshot().trial);
    EXPECT_FALSE(device.manager().would_accept(CommandKind::kCheck));
    EXPECT_FALSE(device.manager().would_accept(CommandKind::kStartUpdate));
    EXPECT_TRUE(device.manager().would_accept(CommandKind::kConfirm));
}

TEST(Trial, WaitsForEveryProbe) {
    TrialBench device;
    device.probe.health = Health::kPending;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_FALSE(device.wait_for(Notice::kConfirmed, 60000));
    device.probe.health = Health::kPass;
    EXPECT_TRUE(device.wait_for(Notice::kConfirmed));
}

// A card is pulled, or whatever else makes the application stop and start the manager.
TEST(Trial, StopAndStartDoNotPutTheDeadlineOff) {
    TrialBench device;
    device.probe.health = Health::kPending;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    for (int i = 0; i < 4 && !device.restart_requested(); ++i) {
        (void)device.run_until([&] { return device.restart_requested(); }, 100000);
        if (device.restart_requested()) break;
        EXPECT_LT(i, 3);
        device.manager().ask_to_stop();
        while (device.manager().step(0)) {
        }
        ASSERT_TRUE(device.manager().start().ok());
        device.manager().begin();
    }
    EXPECT_TRUE(device.restart_requested());
    EXPECT_LE(device.clock.now(), device.settings.rollback_timeout_ms + 60000U);
}

TEST(Trial, CommandConfirmsAtOnce) {
    TrialBench device;
    device.probe.health = Health::kPending;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    (void)device.post(CommandKind::kConfirm);
    device.step();
    EXPECT_EQ(device.events.count(Notice::kConfirmed), 1U);
    EXPECT_EQ(device.boot_status().state_of(1), layout::kStateValid);
}

TEST(Trial, FailingProbeRevertsAtOnceWithItsName) {
    TrialBench device;
    device.probe.health = Health::kFail;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }, 2000));
    EXPECT_EQ(device.boot_status().state_of(1), layout::kStateInvalid);
    device.probe.health = Health::kPass;
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_EQ(device.running(), 0);
    EXPECT_EQ(device.events.last(Notice::kReverted)->revert, RevertReason::kUnhealthy);
    EXPECT_STREQ(device.manager().snapshot().report_probe, "fake");
    EXPECT_TRUE(device.is_left_alone());
    // Asked for explicitly it is tried again.
    EXPECT_TRUE(device.install());
}

TEST(FieldCase, C03_nothing_but_the_validation_path_confirms) {
    TrialBench device;
    ASSERT_TRUE(device.install());
    device.battery.status = {Code::kUnavailable, Origin::kSafety, Detail::kNoBatteryProvider};
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_FALSE(device.run_until([&] { return device.restart_requested(); }, 299000));
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }, 2000));
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_EQ(device.running(), 0);
    EXPECT_EQ(device.events.count(Notice::kConfirmed), 0U);
    EXPECT_EQ(device.events.last(Notice::kReverted)->revert, RevertReason::kDeadline);
}

TEST(Trial, ResetsAreToldApart) {
    struct Row {
        ResetReason reset;
        RevertReason reason;
        bool rejected;
    };
    constexpr std::array<Row, 3> kRows = {
        {{ResetReason::kPanic, RevertReason::kCrashed, true},
         {ResetReason::kWatchdog, RevertReason::kWatchdog, true},
         {ResetReason::kPowerOn, RevertReason::kPowerCycle, false}}};
    for (const Row& row : kRows) {
        for (const bool reached_manager : {false, true}) {
            TrialBench device;
            device.probe.health = Health::kPending;
            ASSERT_TRUE(device.install());
            ASSERT_TRUE(device.boot(ResetReason::kSoftware));
            EXPECT_EQ(device.running(), 1);
            if (reached_manager) device.step();
            ASSERT_TRUE(device.boot(row.reset));
            EXPECT_EQ(device.running(), 0);
            EXPECT_EQ(device.events.last(Notice::kReverted)->revert, row.reason);
            EXPECT_EQ(device.is_left_alone(), row.rejected);
        }
    }
}

TEST(Trial, PowerCyclesAreForgivenThreeTimes) {
    TrialBench device;
    device.probe.health = Health::kPending;
    for (int round = 1; round <= 3; ++round) {
        (void)device.post(CommandKind::kCheck);
        ASSERT_TRUE(device.run_to(State::kUpdateAvailable)) << round;
        ASSERT_TRUE(device.install()) << round;
        ASSERT_TRUE(device.boot(ResetReason::kSoftware));
        ASSERT_TRUE(device.boot(ResetReason::kPowerOn));
        ASSERT_EQ(device.running(), 0);
    }
    EXPECT_TRUE(device.is_left_alone());
}

TEST(Trial, RollbackOffConfirmsAtOnce) {
    TrialBench device;
    device.probe.health = Health::kPending;
    device.settings.allow_rollback = false;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_EQ(device.events.count(Notice::kConfirmed), 1U);
}

}  // namespace
}  // namespace ota
