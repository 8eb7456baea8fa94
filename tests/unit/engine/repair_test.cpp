// Entries that ESP-IDF's in-place rewrites lose to a power cut, and what else goes bad in flash.
#include "engine/trial_bench.hpp"

namespace ota {
namespace {

TEST(Repair, EntryLostBeforeTheFirstBootIsArmedAgain) {
    TrialBench device;
    ASSERT_TRUE(device.install());
    device.flash.cut_at(2, CutKind::kClean,
                        1);  // the bootloader erased NEW and did not write PENDING
    EXPECT_FALSE(device.boot(ResetReason::kSoftware));
    device.flash.power_on();
    ASSERT_TRUE(device.boot());
    EXPECT_EQ(device.running(), 0);
    EXPECT_EQ(device.events.count(Notice::kRepaired), 1U);
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_EQ(device.running(), 1);
    EXPECT_TRUE(device.wait_for(Notice::kConfirmed));
}

TEST(Repair, EntryLostWhileConfirmingIsArmedAgain) {
    TrialBench device;
    device.probe.health = Health::kPending;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    device.probe.health = Health::kPass;
    device.flash.cut_at(3, CutKind::kClean, 1);  // intent recorded, entry erased, VALID not written
    (void)device.run_until([&] { return device.flash.is_off(); }, 5000);
    ASSERT_TRUE(device.flash.is_off());
    device.flash.power_on();
    ASSERT_TRUE(device.boot());
    EXPECT_EQ(device.running(), 0);
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_TRUE(device.wait_for(Notice::kConfirmed));
    EXPECT_EQ(device.running(), 1);
}

TEST(Repair, AnAbortedRearmingStaysAborted) {
    TrialBench device;
    device.probe.health = Health::kPending;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    device.probe.health = Health::kPass;
    device.flash.cut_at(3, CutKind::kClean, 1);
    (void)device.run_until([&] { return device.flash.is_off(); }, 5000);
    device.flash.power_on();
    device.battery.values.soc_percent = 10;
    ASSERT_TRUE(device.boot());
    EXPECT_EQ(device.state(), State::kVerifying);
    (void)device.post(CommandKind::kAbort);
    device.step();
    EXPECT_EQ(device.state(), State::kAborted);
    device.battery.values.soc_percent = 80;
    ASSERT_TRUE(device.boot());
    EXPECT_FALSE(device.run_until([&] { return device.restart_requested(); }, 60000));
}

TEST(RollbackProtection, SurvivesALostJournal) {
    TrialBench device;
    device.source.package = test::make_signed({.version = "1.1.0", .seed = 3, .secure_version = 5});
    ASSERT_TRUE(device.install());
    device.shut_down();
    std::fill_n(device.memory().begin() + 0xB000, 0x4000, uint8_t{0xFF});
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    ASSERT_TRUE(device.wait_for(Notice::kConfirmed));
    Journal journal(device.journal_region());
    ASSERT_TRUE(journal.open().ok());
    EXPECT_EQ(journal.confirmed().secure_version, 5U);
}

// Bytes that went bad in the slot are not the file's fault: it is fetched once more.
TEST(Repair, ASlotThatRottedDoesNotBlameTheFile) {
    TrialBench device;
    ASSERT_TRUE(device.install_and_lose_entry());
    device.memory()[0x30000 + 5000] = static_cast<uint8_t>(device.memory()[0x30000 + 5000] ^ 1);
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.run_to(State::kFailed));
    (void)device.post(CommandKind::kCheck);
    ASSERT_TRUE(device.run_to(State::kUpdateAvailable));
    EXPECT_TRUE(device.install());

    TrialBench resumed;
    resumed.source.fail_at = 16384;
    resumed.source.failures = 1000;
    (void)resumed.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(resumed.run_to(State::kFailed));
    resumed.source.failures = 0;
    resumed.memory()[0x30000 + 5000] = static_cast<uint8_t>(resumed.memory()[0x30000 + 5000] ^ 1);
    (void)resumed.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(resumed.run_until([&] {
        return resumed.state() == State::kVerifying || resumed.detail() == Detail::kImageChecksum;
    }));
    ASSERT_TRUE(resumed.run_to(State::kFailed));
    (void)resumed.post(CommandKind::kCheck);
    ASSERT_TRUE(resumed.run_to(State::kUpdateAvailable));
    EXPECT_TRUE(resumed.install());
}

TEST(Repair, AnUnrecordedImageIsNotWipedByACutInItsConfirmation) {
    for (uint64_t cut = 1; cut <= 6; ++cut) {
        TrialBench device;
        ASSERT_TRUE(device.install());
        device.shut_down();
        std::fill_n(device.memory().begin() + 0xB000, 0x4000, uint8_t{0xFF});
        device.probe.health = Health::kPending;
        ASSERT_TRUE(device.boot(ResetReason::kSoftware));
        device.probe.health = Health::kPass;
        device.flash.cut_at(cut, CutKind::kClean, 1);
        (void)device.run_until([&] { return device.flash.is_off(); }, 5000);
        device.flash.power_on();
        ASSERT_TRUE(device.boot()) << cut;
        (void)device.run_until([&] { return device.restart_requested(); }, 5000);
        EXPECT_EQ(device.memory()[0x30000], layout::kImageMagic) << cut;
    }
}

TEST(Repair, RearmingWaitsForTheBattery) {
    TrialBench device;
    ASSERT_TRUE(device.install_and_lose_entry());
    device.battery.values.soc_percent = 10;
    ASSERT_TRUE(device.boot());
    EXPECT_FALSE(device.run_until([&] { return device.restart_requested(); }, 600000));
    device.battery.values.soc_percent = 80;
    EXPECT_TRUE(device.run_until([&] { return device.restart_requested(); }));
}

TEST(FieldCase, C23_image_that_the_bootloader_refuses_is_reported) {
    TrialBench device;
    ASSERT_TRUE(device.install());
    device.shut_down();
    device.memory()[0x30000 + 5000] = static_cast<uint8_t>(
        device.memory()[0x30000 + 5000] ^ 1);  // the new image rots between arming and boot
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_EQ(device.running(), 0);
    EXPECT_EQ(device.events.last(Notice::kReverted)->revert, RevertReason::kOtherImage);
    EXPECT_EQ(device.boot_status().boot, 0);
    ASSERT_TRUE(device.boot());
    EXPECT_EQ(device.events.count(Notice::kReverted), 1U);
}

TEST(LowestLayer, RefusesToWriteTheRunningSlot) {
    TrialBench device;
    const std::array<uint8_t, 16> bytes{};
    EXPECT_EQ(device.flash.program(0x10000, bytes).detail(), Detail::kRunningSlot);
    EXPECT_EQ(device.flash.erase(0x2F000, 0x1000).detail(), Detail::kRunningSlot);
    EXPECT_TRUE(device.flash.erase(0x30000, 0x1000).ok());
}

}  // namespace
}  // namespace ota
