// What a manifest asks of the device, and what it waits for.
#include "engine/suit_bench.hpp"

namespace ota {
namespace {

Buffer policy() {
    return cbor::number(15);
}

TEST(SuitUpdate, ExpiryIsHeldWhereTheTimeIsKnown) {
    SuitSpec spec = SuitBench::spec_of("1.1.0", 100);
    spec.shared_parameters = {{4, cbor::number(kWednesdayNoon + 10)}};
    spec.shared_commands = {{4, policy()}};
    SuitBench device(spec);
    EXPECT_EQ(device.start(), Detail::kNone);
    SuitBench late(spec);
    late.clock.set_wall(kWednesdayNoon + 10);
    EXPECT_EQ(late.start(), Detail::kExpired);
    late.clock.set_wall(kWednesdayNoon);  // the clock was wrong
    EXPECT_EQ(late.start(), Detail::kNone);
    SuitBench unknown(spec);
    unknown.clock.set_wall(0);
    EXPECT_EQ(unknown.start(), Detail::kClockNotSet);
}

TEST(FieldCase, D05_signed_package_needs_no_clock) {
    SuitBench device;
    device.clock.set_wall(0);  // 1970
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.update_and_settle());
    EXPECT_TRUE(device.running_version() == "1.1.0");
}

TEST(FieldCase, D06_nothing_expires_by_itself) {
    SuitBench device;
    device.clock.set_wall(2366841600);  // 2045
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.update_and_settle());
    EXPECT_TRUE(device.running_version() == "1.1.0");
}

TEST(SuitUpdate, EnergyFloorIsAskedBeforeTheRestart) {
    SuitSpec spec = SuitBench::spec_of("1.1.0", 100);
    spec.install_parameters = {{26, cbor::head(0, 120000000)}};  // 120 kWh
    spec.install_commands = {{26, policy()}};
    SuitBench device(spec);
    device.battery.values.usable_energy_mwh = 119999999;
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.post(CommandKind::kApply);
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.detail(), Detail::kMinimumBattery);
    EXPECT_FALSE(device.restart_requested());
    EXPECT_EQ(device.boot_status().boot, 0);
    device.battery.values.usable_energy_mwh = 120000000;
    EXPECT_TRUE(device.update_and_settle());
    // Without a figure of the BMS: charge times capacity, 80 % of 200 kWh.
    SuitBench by_charge(spec);
    by_charge.battery.values.usable_energy_mwh = 0;
    EXPECT_TRUE(by_charge.update_and_settle());
    SuitBench small(spec);
    small.battery.values.usable_energy_mwh = 0;
    small.settings.battery_capacity_wh = 149000;
    ASSERT_TRUE(small.boot());
    ASSERT_EQ(small.start(), Detail::kNone);
    (void)small.post(CommandKind::kApply);
    ASSERT_TRUE(small.run_to(State::kFailed));
}

// A manifest can tighten what the device wants, never loosen it.
TEST(SuitUpdate, LocalLimitsHoldWhateverTheManifestAllows) {
    SuitSpec spec = SuitBench::spec_of("1.1.0", 100);
    spec.install_parameters = {{26, cbor::number(1)}};
    spec.install_commands = {{26, policy()}};
    SuitBench device(spec);
    device.battery.values.soc_percent = 29;
    EXPECT_EQ(device.start(), Detail::kSocLow);
}

TEST(SuitUpdate, WaitsForItsTime) {
    SuitSpec spec = SuitBench::spec_of("1.1.0", 100);
    const Buffer events = cbor::map({{cbor::number(5), cbor::number(kWednesdayNoon + 7200)}});
    spec.install_parameters = {{29, cbor::wrap(events)}};
    spec.install_commands = {{29, cbor::number(2)}};
    SuitBench device(spec);
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.post(CommandKind::kApply);
    EXPECT_FALSE(device.run_until([&] { return device.restart_requested(); }, 60000));
    EXPECT_EQ(device.state(), State::kApplying);
    device.clock.set_wall(kWednesdayNoon + 7200);
    EXPECT_TRUE(device.run_until([&] { return device.restart_requested(); }, 5000));
    SuitBench aborted(spec);
    ASSERT_EQ(aborted.start(), Detail::kNone);
    (void)aborted.post(CommandKind::kApply);
    ASSERT_TRUE(aborted.run_to(State::kApplying));
    (void)aborted.post(CommandKind::kAbort);
    EXPECT_TRUE(aborted.run_to(State::kAborted, 2000));
}

SuitSpec waiting_spec() {
    SuitSpec spec = SuitBench::spec_of("1.1.0", 100);
    const Buffer events = cbor::map({{cbor::number(5), cbor::number(kWednesdayNoon + 7200)}});
    spec.install_parameters = {{29, cbor::wrap(events)}};
    spec.install_commands = {{29, cbor::number(2)}};
    return spec;
}

// Up to the wait, as an operator asked for it.
bool run_into_wait(SuitBench& device) {
    if (device.start() != Detail::kNone) return false;
    (void)device.post(CommandKind::kApply);
    (void)device.run_until([] { return false; }, 5000);
    return device.state() == State::kApplying && !device.restart_requested();
}

TEST(SuitUpdate, WaitOutlivesARestart) {
    SuitBench device(waiting_spec());
    ASSERT_TRUE(run_into_wait(device));
    ASSERT_TRUE(device.boot(ResetReason::kBrownout));
    device.source.bytes_read = 0;
    EXPECT_FALSE(device.run_until([&] { return device.restart_requested(); }, 60000));
    EXPECT_EQ(device.state(), State::kApplying);  // nobody asked again
    EXPECT_LE(device.source.bytes_read, kMaxEnvelopePrefix + 4096U);
    device.clock.set_wall(kWednesdayNoon + 7200);
    EXPECT_TRUE(device.run_until([&] { return device.restart_requested(); }, 5000));
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_TRUE(device.wait_for(Notice::kConfirmed));
}

// What was asked before the restart is asked again when a pause has passed.
TEST(SuitUpdate, RedGateBeforeTheRestartAsksTheManifestAnew) {
    SuitSpec spec = SuitBench::spec_of("1.1.0", 100);
    spec.shared_parameters = {{4, cbor::number(kWednesdayNoon + 3600)}};
    spec.install_commands = {{4, policy()}};
    SuitBench device(spec);
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.post(CommandKind::kApply);
    ASSERT_TRUE(device.run_to(State::kApplying));
    device.battery.values.current_milliampere = 20000;
    (void)device.run_until([] { return false; }, 5000);
    EXPECT_FALSE(device.restart_requested());
    device.clock.set_wall(kWednesdayNoon + 3600);
    device.battery.values.current_milliampere = 0;
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.detail(), Detail::kExpired);
    EXPECT_FALSE(device.restart_requested());
}

// The plant works while a package waits for its time; that is no pause.
TEST(SuitUpdate, BusyPlantDoesNotEndAWait) {
    SuitBench device(waiting_spec());
    device.clock.set_wall(kWednesdayNoon - 3 * 86400);
    ASSERT_TRUE(run_into_wait(device));
    device.battery.values.current_milliampere = 50000;
    (void)device.run_until([] { return false; }, Millis{2} * 86400 * 1000);
    EXPECT_EQ(device.state(), State::kApplying);
    device.battery.values.current_milliampere = 0;
    device.clock.set_wall(kWednesdayNoon + 7200);
    EXPECT_TRUE(device.run_until([&] { return device.restart_requested(); }, 5000));
}

TEST(SuitUpdate, WaitThatWasAbortedDoesNotComeBack) {
    SuitBench device(waiting_spec());
    ASSERT_TRUE(run_into_wait(device));
    (void)device.post(CommandKind::kAbort);
    ASSERT_TRUE(device.run_to(State::kAborted));
    ASSERT_TRUE(device.boot());
    device.clock.set_wall(kWednesdayNoon + 7200);
    EXPECT_FALSE(device.run_until([&] { return device.restart_requested(); }, 60000));
    EXPECT_EQ(device.state(), State::kIdle);
}

TEST(SuitUpdate, WaitHasAnEndOverRestartsToo) {
    SuitBench device(waiting_spec());
    device.clock.set_wall(kWednesdayNoon - 30 * 86400);
    ASSERT_TRUE(run_into_wait(device));
    device.clock.set_wall(kWednesdayNoon - 16 * 86400 - 3600);
    ASSERT_TRUE(device.boot());
    (void)device.run_until([] { return false; }, 10000);
    EXPECT_EQ(device.state(), State::kApplying);
    device.clock.set_wall(kWednesdayNoon - 16 * 86400 + 60);
    ASSERT_TRUE(device.run_to(State::kFailed, 5000));
    EXPECT_EQ(device.detail(), Detail::kWaitTooLong);
    ASSERT_TRUE(device.boot());
    (void)device.run_until([] { return false; }, 10000);
    EXPECT_EQ(device.state(), State::kIdle);
}

TEST(SuitUpdate, VersionOfWhatRunsCanBeAskedFor) {
    for (const auto& [wanted, expected] :
         {std::pair<int64_t, Detail>{1, Detail::kNone}, {2, Detail::kVersionCondition}}) {
        SuitSpec spec = SuitBench::spec_of("2.1.0", 100);
        const Buffer match =
            cbor::array({cbor::number(2), cbor::array({cbor::number(wanted)})});  // at least
        spec.shared_parameters = {{28, cbor::wrap(match)}};
        spec.shared_commands = {{28, policy()}};
        SuitBench device(spec);
        EXPECT_EQ(device.start(), expected);
    }
}

TEST(SuitUpdate, PackageForOneDeviceAlone) {
    SuitSpec spec = SuitBench::spec_of("1.1.0", 100);
    spec.shared_parameters = {{24, cbor::bytes(Buffer(16, 0x33))}};
    spec.shared_commands = {{24, policy()}};
    SuitBench other(spec);
    EXPECT_EQ(other.start(), Detail::kDeviceId);
    other.settings.suit.device.fill(0x33);
    ASSERT_TRUE(other.boot());
    EXPECT_EQ(other.start(), Detail::kNone);
}

}  // namespace
}  // namespace ota
