// Looking for updates: by timer, by command, with several candidates.
#include "engine/update_bench.hpp"

namespace ota {
namespace {

TEST(Check, StartInTheMiddleOfACheckOffersWhatItPassedOver) {
    UpdateBench device;
    device.source.package = test::make_signed({.version = "1.1.0", .seed = 5}, test::Key::kOtherEc);
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_to(State::kFailed));
    test::FakeSource slow;
    slow.package = make_signed_of_size("1.0.0", kUpdateImageSize, 4);
    slow.idle_reads = 100;
    device.extra_source = {&slow, &slow};
    ASSERT_TRUE(device.boot());
    (void)device.post(CommandKind::kCheck);
    ASSERT_TRUE(device.run_until([&] { return slow.open; }));  // the refused file was passed over
    ASSERT_EQ(device.state(), State::kChecking);
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_to(State::kDownloading));
}

TEST(Check, ARealFaultTellsMoreThanAnOlderFile) {
    Device device;
    device.put_image(0, make_signed_of_size("1.0.0", kUpdateImageSize, 1));
    device.source.package = make_signed_of_size("0.9.0", kUpdateImageSize, 3);
    test::FakeSource broken;
    broken.package = make_signed_of_size("1.1.0", kUpdateImageSize, 4);
    broken.fail_at = 0;
    broken.failures = 100;
    device.extra_source = {&broken, &broken};
    ASSERT_TRUE(device.boot());
    (void)device.post(CommandKind::kCheck);
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.detail(), Detail::kFileReadError);
}

TEST(Check, OlderFilesBesideTheRunningVersionAreNoFault) {
    for (const bool same_first : {true, false}) {
        Device device;
        device.put_image(0, make_signed_of_size("1.0.0", kUpdateImageSize, 1));
        test::FakeSource second;
        device.source.package =
            make_signed_of_size(same_first ? "1.0.0" : "0.9.0", kUpdateImageSize, 3);
        second.package = make_signed_of_size(same_first ? "0.9.0" : "1.0.0", kUpdateImageSize, 4);
        device.extra_source = {&second, &second};
        ASSERT_TRUE(device.boot());
        (void)device.post(CommandKind::kCheck);
        ASSERT_TRUE(device.run_until([&] { return device.events.last(State::kIdle) != nullptr; }));
        EXPECT_EQ(device.events.last(State::kIdle)->status.detail(), Detail::kVersionSame);
    }
}

TEST(Check, PeriodicByTimer) {
    Device device;
    device.put_image(0, make_signed_of_size("1.0.0", kUpdateImageSize, 1));
    device.source.offered = false;
    device.settings.check_interval_ms = 60000;
    ASSERT_TRUE(device.boot());
    (void)device.run_until([] { return false; }, 10 * 60000);
    const auto checks =
        std::count(device.signal.entries.begin(), device.signal.entries.end(), State::kChecking);
    EXPECT_GE(checks, 10);
    EXPECT_LE(checks, 12);
}

TEST(Check, AfterAFailureComesSoonerThanTheInterval) {
    Device device;
    device.put_image(0, make_signed_of_size("1.0.0", kUpdateImageSize, 1));
    device.source.package = make_signed_of_size("1.1.0", kUpdateImageSize, 2);
    device.source.fail_at = 0;
    device.source.failures = 2;
    device.settings.check_interval_ms = 24U * 3600000;
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.run_to(State::kUpdateAvailable, 10 * 60000));
}

TEST(Check, OffByDefault) {
    UpdateBench device;
    (void)device.run_until([] { return false; }, 48ULL * 3600000);
    EXPECT_TRUE(device.signal.entries.empty());
}

}  // namespace
}  // namespace ota
