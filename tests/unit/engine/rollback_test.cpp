// Back to the previous image on request, other layouts, and rollback protection.
#include "engine/trial_bench.hpp"

namespace ota {
namespace {

TEST(Rollback, GoesBackAfterConfirmationToo) {
    TrialBench device;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    ASSERT_TRUE(device.wait_for(Notice::kConfirmed));
    (void)device.post(CommandKind::kRollback);
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_EQ(device.running(), 0);
    EXPECT_EQ(device.events.last(Notice::kReverted)->revert, RevertReason::kRequested);
    EXPECT_TRUE(device.is_left_alone());
}

TEST(Rollback, NeedsAnotherImage) {
    TrialBench device;
    (void)device.post(CommandKind::kRollback);
    device.step();
    EXPECT_EQ(device.state(), State::kFailed);
    EXPECT_EQ(device.detail(), Detail::kNoOtherImage);
    ASSERT_TRUE(device.boot());
    EXPECT_EQ(device.running(), 0);
}

TEST(Rollback, NeverBootsWhatNobodyProved) {
    TrialBench refused;
    refused.source.package = test::make_image({});  // whole, and not signed
    (void)refused.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(refused.run_to(State::kFailed));
    EXPECT_NE(refused.memory()[0x30000], layout::kImageMagic);  // does not even look like an image
    (void)refused.post(CommandKind::kRollback);
    refused.step();
    EXPECT_EQ(refused.detail(), Detail::kNoOtherImage);
    ASSERT_TRUE(refused.boot());
    EXPECT_EQ(refused.running(), 0);

    TrialBench aborted;
    (void)aborted.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(aborted.run_to(State::kReadyToApply));
    (void)aborted.post(CommandKind::kAbort);
    (void)aborted.post(CommandKind::kRollback);
    aborted.step();
    aborted.step();
    EXPECT_EQ(aborted.detail(), Detail::kNoOtherImage);
    ASSERT_TRUE(aborted.boot());
    EXPECT_EQ(aborted.running(), 0);
    EXPECT_FALSE(aborted.is_left_alone());
}

TEST(Rollback, RefusedOneChangesNothing) {
    TrialBench device;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    ASSERT_TRUE(device.wait_for(Notice::kConfirmed));
    device.memory()[0x10000 + 5000] = 0;  // the previous image is damaged
    (void)device.post(CommandKind::kRollback);
    device.step();
    EXPECT_EQ(device.detail(), Detail::kNoOtherImage);
    ASSERT_TRUE(device.boot());
    EXPECT_EQ(device.manager().snapshot().report_stage, UpdateStage::kConfirmed);

    TrialBench staging;
    staging.source.chunk = 1000;
    (void)staging.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(staging.run_until([&] { return staging.source.bytes_read > 14000; }));
    (void)staging.post(CommandKind::kAbort);
    (void)staging.post(CommandKind::kRollback);
    staging.step();
    staging.step();
    EXPECT_EQ(staging.detail(), Detail::kNoOtherImage);
    (void)staging.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(staging.run_to(State::kReadyToApply));
    EXPECT_NE(staging.source.first_offset, UINT64_MAX);  // the download went on where it was
}

TEST(Rollback, ToAnImageThatTheBootloaderRefusesIsNoLoop) {
    TrialBench device;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    ASSERT_TRUE(device.wait_for(Notice::kConfirmed));
    device.shut_down();
    device.put_image(0, test::make_signed({.version = "1.0.0", .min_chip_revision = 300}));
    ASSERT_TRUE(device.boot());
    (void)device.post(CommandKind::kRollback);
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(device.boot(ResetReason::kSoftware));
        EXPECT_EQ(device.running(), 1);
        EXPECT_FALSE(device.run_until([&] { return device.restart_requested(); }, 10000)) << i;
        EXPECT_EQ(device.boot_status().boot, 1);
    }
    device.source.package = make_signed_of_size("1.2.0", kTrialImageSize, 9);
    EXPECT_TRUE(device.update_and_settle());
}

TEST(Trial, ConfirmedBySomebodyElseIsStillATrial) {
    TrialBench device;
    ASSERT_TRUE(device.install());
    device.shut_down();
    // A framework that calls esp_ota_mark_app_valid before the manager starts.
    serialize_otadata_entry(2, layout::kStateValid,
                            MutableBytes(device.memory()).subspan(0xA000, 32));
    device.probe.health = Health::kFail;
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_EQ(device.running(), 1);
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }, 5000));
    device.probe.health = Health::kPass;
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_EQ(device.running(), 0);
    EXPECT_EQ(device.events.last(Notice::kReverted)->revert, RevertReason::kUnhealthy);
}

TEST(Rollback, RefusedWhenUnsafeOrSwitchedOff) {
    TrialBench device;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    ASSERT_TRUE(device.wait_for(Notice::kConfirmed));
    device.battery.values.soc_percent = 5;
    (void)device.post(CommandKind::kRollback);
    device.step();
    EXPECT_EQ(device.detail(), Detail::kSocLow);
    device.battery.values.soc_percent = 80;
    device.settings.allow_rollback = false;
    ASSERT_TRUE(device.boot());
    (void)device.post(CommandKind::kRollback);
    device.step();
    EXPECT_EQ(device.detail(), Detail::kRollbackDisabled);
}

TEST(Update, FromFactoryAndBackToFactory) {
    TrialBench device({.factory = true});
    EXPECT_EQ(device.running(), kFactorySlot);
    device.probe.health = Health::kFail;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_EQ(device.running(), 0);
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    device.probe.health = Health::kPass;
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_EQ(device.running(), kFactorySlot);
    EXPECT_EQ(device.events.last(Notice::kReverted)->revert, RevertReason::kUnhealthy);
    device.source.package = make_signed_of_size("1.2.0", kTrialImageSize, 4);
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_TRUE(device.wait_for(Notice::kConfirmed));
}

TEST(Update, ThreeSlotsAreUsedInTurn) {
    TrialBench device({.slots = 3});
    const std::array<const char*, 4> versions = {"1.1.0", "1.2.0", "1.3.0", "1.4.0"};
    for (size_t i = 0; i < versions.size(); ++i) {
        device.source.package =
            make_signed_of_size(versions[i], kTrialImageSize, static_cast<uint32_t>(i) + 10);
        ASSERT_TRUE(device.update_and_settle()) << versions[i];
        EXPECT_EQ(device.running(), (i + 1) % 3);
        EXPECT_TRUE(device.running_version() == versions[i]);
    }
}

TEST(RollbackProtection, SecureVersionOfAConfirmedImageStays) {
    TrialBench device;
    device.source.package = test::make_signed({.version = "1.1.0", .seed = 3, .secure_version = 5});
    ASSERT_TRUE(device.update_and_settle());
    device.source.package = test::make_signed({.version = "1.2.0", .seed = 4, .secure_version = 4});
    (void)device.post(CommandKind::kCheck);
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.detail(), Detail::kSecureVersion);
}

}  // namespace
}  // namespace ota
