// Whole updates on the bench device: manager, flash model and boot ROM model on virtual time.
#include "engine/update_bench.hpp"

namespace ota {
namespace {

TEST(Update, RunsThroughEveryStateInOrder) {
    UpdateBench device;
    (void)device.post(CommandKind::kCheck);
    ASSERT_TRUE(device.run_to(State::kUpdateAvailable));
    EXPECT_STREQ(device.manager().snapshot().offered_version, "1.1.0");
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_to(State::kReadyToApply));
    (void)device.post(CommandKind::kApply);
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    const std::vector<State> expected = {
        State::kChecking,     State::kUpdateAvailable, State::kDownloading, State::kVerifying,
        State::kReadyToApply, State::kApplying,        State::kComplete,    State::kRebooting};
    EXPECT_TRUE(device.signal.entries == expected);
    EXPECT_EQ(device.flash.misuses(), 0U);
}

TEST(Update, NewImageRunsOnTrialAndIsConfirmed) {
    UpdateBench device;
    ASSERT_TRUE(device.update_and_settle());
    EXPECT_EQ(device.running(), 1);
    EXPECT_TRUE(device.running_version() == "1.1.0");
    EXPECT_EQ(device.boot_status().state_of(1), layout::kStateValid);
    EXPECT_EQ(device.events.count(Notice::kTrialStarted), 1U);
    EXPECT_EQ(device.events.count(Notice::kConfirmed), 1U);
    // Confirmed is confirmed: power may come and go.
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(device.boot());
        EXPECT_EQ(device.running(), 1);
    }
    EXPECT_EQ(device.events.count(Notice::kConfirmed), 1U);
}

TEST(Update, AutomaticGoesStraightThrough) {
    Device device;
    device.put_image(0, make_signed_of_size("1.0.0", kUpdateImageSize, 1));
    device.source.package = make_signed_of_size("1.1.0", kUpdateImageSize, 2);
    device.settings.automatic_update = true;
    device.settings.check_interval_ms = 3600000;
    ASSERT_TRUE(device.boot());
    EXPECT_TRUE(device.run_until([&] { return device.restart_requested(); }));
}

TEST(Update, ProgressNeverExceedsTotalAndEndsThere) {
    UpdateBench device;
    ASSERT_TRUE(device.download());
    uint64_t last = 0;
    for (const Event& event : device.events.events) {
        if (event.kind != Event::Kind::kProgress) continue;
        EXPECT_LE(event.received, event.total);
        EXPECT_GE(event.received, last);
        last = event.received;
    }
    EXPECT_EQ(last, kUpdateImageSize);
}

TEST(Update, SameVersionIsNoUpdate) {
    UpdateBench device;
    device.source.package = make_signed_of_size("1.0.0", kUpdateImageSize, 3);
    (void)device.post(CommandKind::kCheck);
    ASSERT_TRUE(device.run_until([&] { return device.events.last(State::kIdle) != nullptr; }));
    EXPECT_EQ(device.events.last(State::kIdle)->status.detail(), Detail::kVersionSame);
}

TEST(Update, OlderVersionIsRefusedBeforeAnythingIsErased) {
    UpdateBench device;
    device.source.package = make_signed_of_size("0.9.0", kUpdateImageSize, 3);
    const uint64_t before = device.flash.operations();
    (void)device.post(CommandKind::kCheck);
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.detail(), Detail::kVersionOlder);
    EXPECT_EQ(device.flash.operations(), before);
}

TEST(Update, EndOfStreamIsNotEndOfFile) {
    UpdateBench device;
    device.source.truncate_at = kUpdateImageSize / 2;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.detail(), Detail::kShortFile);
    device.source.truncate_at = UINT64_MAX;
    EXPECT_TRUE(device.download());  // and the same process goes on
}

TEST(FieldCase, B10_installed_needs_more_than_the_end_of_the_stream) {
    for (const uint32_t part :
         {kUpdateImageSize * 575 / 10000, kUpdateImageSize / 2, kUpdateImageSize - 1}) {
        UpdateBench device;
        device.source.truncate_at = part;
        (void)device.post(CommandKind::kStartUpdate);
        ASSERT_TRUE(device.run_to(State::kFailed)) << part;
        for (const State state : device.signal.entries) EXPECT_NE(state, State::kVerifying) << part;
        EXPECT_EQ(device.boot_status().boot, 0);
    }
}

TEST(Update, TransientErrorsAreRetriedFromWhereItWas) {
    UpdateBench device;
    device.source.fail_at = 12288;
    device.source.failures = 3;
    ASSERT_TRUE(device.download());
    EXPECT_LE(device.source.bytes_read, kUpdateImageSize + layout::kImagePrefixSize);
}

TEST(Update, RetriesHaveACap) {
    UpdateBench device;
    device.source.fail_at = 12288;
    device.source.failures = 1000;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_GE(device.source.failures, 990U);
}

TEST(Update, SilenceTimesOut) {
    UpdateBench device;
    device.source.idle_reads = 1000000;
    (void)device.post(CommandKind::kCheck);
    ASSERT_TRUE(device.run_to(State::kFailed, 60000));
    EXPECT_TRUE(Status::from_word(device.manager().snapshot().error).is(Code::kTimeout));
}

TEST(Update, NothingYetIsNotTheEnd) {
    UpdateBench device;
    device.source.idle_reads = 20;
    EXPECT_TRUE(device.download());
}

TEST(Update, ChangedPackageIsNotContinued) {
    UpdateBench device;
    device.source.fail_at = 12288;
    device.source.failures = 1;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_until([&] { return device.source.failures == 0; }));
    device.source.revision = 2;
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.detail(), Detail::kFileChanged);
}

TEST(Update, ResumesAfterARestartWithoutReadingDurableBytesAgain) {
    UpdateBench device;
    device.source.fail_at = 20480;
    device.source.failures = 1000;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_to(State::kFailed));
    device.source.failures = 0;
    ASSERT_TRUE(device.boot());
    device.source.bytes_read = 0;
    ASSERT_TRUE(device.download());
    EXPECT_EQ(device.source.first_offset, 16384U);  // the last sector is written again
    EXPECT_EQ(device.source.bytes_read, kUpdateImageSize - 16384U + layout::kImagePrefixSize);
}

TEST(Update, OtherPackageStartsOver) {
    UpdateBench device;
    device.source.fail_at = 20480;
    device.source.failures = 1000;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_to(State::kFailed));
    device.source.failures = 0;
    device.source.package = make_signed_of_size("1.2.0", kUpdateImageSize, 7);
    device.source.first_offset = UINT64_MAX;
    ASSERT_TRUE(device.download());
    EXPECT_EQ(device.source.first_offset, UINT64_MAX);
}

TEST(Update, UntrustedImageIsRefusedAndNotFetchedAgainByItself) {
    UpdateBench device;
    device.source.package = test::make_signed({.version = "1.1.0", .seed = 5}, test::Key::kOtherEc);
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.detail(), Detail::kSignatureUntrusted);
    EXPECT_EQ(device.boot_status().boot, 0);
    (void)device.post(CommandKind::kCheck);
    ASSERT_TRUE(device.run_to(State::kIdle));
    EXPECT_EQ(device.events.last(State::kIdle)->status.detail(), Detail::kRefusedBefore);
}

TEST(Update, BadFilesDoNotWearTheFlash) {
    const test::Buffer good = make_signed_of_size("1.1.0", kUpdateImageSize, 2);
    test::Buffer damaged = good;
    damaged[9000] = static_cast<uint8_t>(damaged[9000] ^ 1);
    const test::Buffer other =
        test::make_signed({.version = "1.1.0", .seed = 5}, test::Key::kOtherEc);
    for (const test::Buffer& package : {damaged, other}) {
        Device device;
        device.put_image(0, make_signed_of_size("1.0.0", kUpdateImageSize, 1));
        device.source.package = package;
        device.settings.automatic_update = true;
        device.settings.check_interval_ms = 1000;
        ASSERT_TRUE(device.boot());
        ASSERT_TRUE(device.run_to(State::kFailed));
        const uint64_t after_one = device.flash.erases();
        (void)device.run_until([] { return false; }, 3600000);
        EXPECT_EQ(device.flash.erases(), after_one);
        ASSERT_TRUE(device.boot());  // not even after a restart
        (void)device.run_until([] { return false; }, 3600000);
        EXPECT_EQ(device.flash.erases(), after_one);
        // A mended file is another file.
        device.source.package = good;
        device.source.revision = 2;
        EXPECT_TRUE(device.run_until([&] { return device.restart_requested(); }, 7200000));
    }
}

TEST(FieldCase, C07_unsigned_image_never_changes_the_boot_slot) {
    test::ImageSpec spec;
    const std::array<test::Buffer, 2> packages = {test::make_image(spec),
                                                  test::make_signed(spec, test::Key::kOtherEc)};
    for (const test::Buffer& package : packages) {
        UpdateBench device;
        device.source.package = package;
        (void)device.post(CommandKind::kStartUpdate);
        ASSERT_TRUE(device.run_to(State::kFailed));
        EXPECT_TRUE(Status::from_word(device.manager().snapshot().error).is(Code::kUntrusted));
        for (const State state : device.signal.entries) EXPECT_NE(state, State::kComplete);
        EXPECT_EQ(device.boot_status().boot, 0);
        ASSERT_TRUE(device.boot());
        EXPECT_EQ(device.running(), 0);
    }
}

TEST(Update, AbortWorksInEveryStateBeforeComplete) {
    for (const State state : {State::kChecking, State::kUpdateAvailable, State::kDownloading,
                              State::kVerifying, State::kReadyToApply, State::kApplying}) {
        UpdateBench device;
        device.settings.automatic_update = false;
        if (state == State::kUpdateAvailable || state == State::kChecking) {
            (void)device.post(CommandKind::kCheck);
        } else {
            (void)device.post(CommandKind::kStartUpdate);
        }
        if (state == State::kApplying) {
            ASSERT_TRUE(device.run_to(State::kReadyToApply));
            device.battery.values.soc_percent = 10;  // keeps it waiting in APPLYING
            (void)device.post(CommandKind::kApply);
        }
        ASSERT_TRUE(device.run_to(state));
        (void)device.post(CommandKind::kAbort);
        device.step();
        ASSERT_EQ(device.state(), State::kAborted);
        EXPECT_EQ(device.events.last(State::kAborted)->status.detail(), Detail::kAbortedByUser);
        EXPECT_FALSE(device.source.open);
        EXPECT_EQ(device.boot_status().boot, 0);
        device.battery.values.soc_percent = 80;
        EXPECT_TRUE(device.download());
    }
}

TEST(Update, AbortBetweenArmingAndCompleteDisarms) {
    UpdateBench device;
    ASSERT_TRUE(device.download());
    (void)device.post(CommandKind::kApply);
    ASSERT_TRUE(device.run_until([&] { return device.boot_status().boot == 1; }));
    ASSERT_EQ(device.state(), State::kApplying);
    (void)device.post(CommandKind::kAbort);
    device.step();
    EXPECT_EQ(device.state(), State::kAborted);
    EXPECT_EQ(device.boot_status().boot, 0);
    ASSERT_TRUE(device.boot());
    EXPECT_EQ(device.running(), 0);
    EXPECT_EQ(device.events.count(Notice::kReverted), 0U);
}

TEST(Update, StandbyEntryIsGoneBeforeItsSlotIsTouched) {
    UpdateBench device;
    ASSERT_TRUE(device.update_and_settle());  // both entries name bootable slots now
    device.source.package = make_signed_of_size("1.2.0", kUpdateImageSize, 3);
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_to(State::kDownloading));
    const uint64_t before = device.flash.erases();
    while (device.flash.erases() == before) device.step();
    EXPECT_FALSE(device.boot_status().entries[0].written());
    EXPECT_EQ(device.memory()[0x10000], layout::kImageMagic);  // and the image was still whole then
}

TEST(FieldCase, C19_a_year_between_install_and_first_boot) {
    UpdateBench device;
    ASSERT_TRUE(device.download());
    (void)device.post(CommandKind::kApply);
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    device.clock.advance(366ULL * 24 * 3600000);
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.run_until([&] { return device.events.count(Notice::kConfirmed) == 1; }));
    (void)device.post(CommandKind::kCheck);  // and a new check works in the same run
    ASSERT_TRUE(device.run_until([&] { return device.events.last(State::kIdle) != nullptr; }));
}

}  // namespace
}  // namespace ota
