// Boot choice, otadata, rollback, power cuts: field cases of group C.
#include "engine/trial_bench.hpp"

namespace ota {
namespace {

TEST(FieldCase, C05_any_otadata_boots_a_verified_slot_and_is_repaired_once) {
    const auto bad_crc = [](MutableBytes entry) { entry[28] ^= 0xFF; };
    for (int damage = 0; damage < 5; ++damage) {
        TrialBench device;
        ASSERT_TRUE(device.install());
        ASSERT_TRUE(device.boot(ResetReason::kSoftware));
        ASSERT_TRUE(device.wait_for(Notice::kConfirmed));
        device.shut_down();
        const MutableBytes copies[2] = {MutableBytes(device.memory()).subspan(0x9000, 32),
                                        MutableBytes(device.memory()).subspan(0xA000, 32)};
        for (const MutableBytes& copy : copies) {
            if (damage == 0) std::fill(copy.begin(), copy.end(), uint8_t{0xFF});
            if (damage == 1) bad_crc(copy);
            if (damage == 2) std::fill(copy.begin() + 16, copy.end(), uint8_t{0xFF});  // torn
            if (damage == 3) store_le32(copy.data(), 0xFFFFFFFF);
            if (damage == 4) store_le32(copy.data(), 0);
        }
        device.events.events.clear();
        ASSERT_TRUE(device.boot()) << damage;
        const SlotId chosen = device.running();
        EXPECT_EQ(device.boot_status().boot, chosen) << damage;
        // Blank entries the bootloader writes anew by itself; everything else is the manager's.
        const size_t repairs = device.events.count(Notice::kRepaired);
        EXPECT_EQ(repairs, damage == 0 || damage == 3 ? 0U : 1U) << damage;
        ASSERT_TRUE(device.boot()) << damage;
        EXPECT_EQ(device.running(), chosen) << damage;
        EXPECT_EQ(device.events.count(Notice::kRepaired), repairs) << damage;
    }
}

TEST(FieldCase, C06_sequence_of_a_missing_slot_is_no_loop) {
    TrialBench device;
    // Two slots, no factory; a sequence from a table with more slots maps into this one.
    for (const uint32_t seq : {3U, 8U, 255U, 0xFFFFFFFEU}) {
        device.shut_down();
        const MutableBytes copy = MutableBytes(device.memory()).subspan(0x9000, 32);
        serialize_otadata_entry(seq, layout::kStateValid, copy);
        ASSERT_TRUE(device.boot()) << seq;
        EXPECT_EQ(device.running(), 0) << seq;  // the only slot with an image
        EXPECT_EQ(device.boot_status().boot, 0) << seq;
    }
}

// Reset at each flash operation of a revert: always the old image, and no ping-pong afterwards.
TEST(FieldCase, C10_interrupted_revert_ends_on_the_old_image) {
    TrialBench original;
    original.probe.health = Health::kFail;
    ASSERT_TRUE(original.install());
    const test::Buffer installed = original.memory();
    for (uint64_t cut = 1; cut < 40; ++cut) {
        TrialBench device;
        device.load(installed);
        device.probe.health = Health::kFail;
        device.flash.cut_at(cut, CutKind::kTornBytes, static_cast<uint32_t>(cut));
        if (device.boot(ResetReason::kSoftware)) {
            (void)device.run_until([&] { return device.restart_requested(); }, 2000);
        }
        const bool lost = device.flash.is_off();
        device.flash.power_on();
        for (int again = 0; again < 6; ++again) {
            ASSERT_TRUE(device.boot(lost ? ResetReason::kPowerOn : ResetReason::kSoftware)) << cut;
            (void)device.run_until([&] { return device.restart_requested(); }, 3000);
        }
        EXPECT_EQ(device.running(), 0) << cut;
        EXPECT_EQ(device.boot_status().state_of(0), layout::kStateValid) << cut;
        if (!lost) break;
        EXPECT_LT(cut, 39U);
    }
}

// The exhaustive form of this is ./check powercut; here one small image, cut at each operation and
// a second time during the recovery.
TEST(FieldCase, C11_power_cut_at_each_operation_and_again_in_the_recovery) {
    TrialBench counting;
    const uint64_t before = counting.flash.operations();
    ASSERT_TRUE(counting.update_and_settle());
    const uint64_t total = counting.flash.operations() - before;
    ASSERT_GT(total, 50U);
    for (uint64_t cut = 1; cut <= total; cut += 3) {
        TrialBench device;
        device.flash.cut_at(cut, CutKind::kTornBits, static_cast<uint32_t>(cut));
        (void)device.update_and_settle();
        ASSERT_TRUE(device.flash.is_off()) << cut;
        device.flash.power_on();
        device.flash.cut_at(1 + cut % 7, CutKind::kTornBytes, static_cast<uint32_t>(cut));
        if (device.boot()) (void)device.update_and_settle();
        device.flash.power_on();
        ASSERT_TRUE(device.boot()) << cut;
        (void)device.run_until([&] { return device.restart_requested(); }, 5000);
        if (device.restart_requested()) {
            ASSERT_TRUE(device.boot(ResetReason::kSoftware)) << cut;
        }
        (void)device.run_until([&] { return !device.manager().snapshot().trial; }, 5000);
        if (device.running_version() != "1.1.0") {
            ASSERT_TRUE(device.update_and_settle()) << cut;
        }
        EXPECT_TRUE(device.running_version() == "1.1.0") << cut;
        EXPECT_EQ(device.flash.misuses(), 0U) << cut;
    }
}

TEST(FieldCase, C14_failing_confirm_write_is_retried_and_reported) {
    TrialBench device;
    ASSERT_TRUE(device.install());
    device.probe.health = Health::kPending;
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    device.probe.health = Health::kPass;
    device.flash.fail_operations(1, 2);  // the intent is recorded, the otadata erase fails twice
    ASSERT_TRUE(device.wait_for(Notice::kConfirmed));
    EXPECT_EQ(device.boot_status().state_of(1), layout::kStateValid);

    TrialBench broken;
    ASSERT_TRUE(broken.install());
    broken.probe.health = Health::kPending;
    ASSERT_TRUE(broken.boot(ResetReason::kSoftware));
    broken.probe.health = Health::kPass;
    broken.flash.fail_operations(1, 100000);
    ASSERT_TRUE(broken.run_to(State::kFailed, 30000));
    EXPECT_EQ(broken.detail(), Detail::kConfirmFailed);
    EXPECT_EQ(broken.events.count(Notice::kConfirmed), 0U);
    // Still on trial: nothing may touch the slot that is the way back.
    EXPECT_FALSE(broken.manager().would_accept(CommandKind::kCheck));
    EXPECT_FALSE(broken.manager().would_accept(CommandKind::kStartUpdate));
    // A person may ask once more when flash works again.
    broken.flash.fail_operations(0, 0);
    (void)broken.post(CommandKind::kConfirm);
    EXPECT_TRUE(broken.wait_for(Notice::kConfirmed, 5000));
    EXPECT_FALSE(broken.restart_requested());
}

TEST(FieldCase, C15_first_boot_with_a_missing_journal_is_unvalidated) {
    for (const bool healthy : {true, false}) {
        for (const uint8_t filler : {uint8_t{0xFF}, uint8_t{0x00}, uint8_t{0x5A}}) {
            TrialBench device;
            ASSERT_TRUE(device.install());
            device.shut_down();
            std::fill_n(device.memory().begin() + 0xB000, 0x4000, uint8_t{filler});
            device.probe.health = healthy ? Health::kPass : Health::kFail;
            ASSERT_TRUE(device.boot(ResetReason::kSoftware));
            EXPECT_EQ(device.events.count(Notice::kTrialStarted), 1U);
            if (healthy) {
                ASSERT_TRUE(device.wait_for(Notice::kConfirmed));
                EXPECT_STREQ(device.manager().snapshot().report_version, "1.1.0");
            } else {
                ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
                device.probe.health = Health::kPass;
                ASSERT_TRUE(device.boot(ResetReason::kSoftware));
                EXPECT_EQ(device.running(), 0);
                EXPECT_EQ(device.events.count(Notice::kReverted), 1U);
            }
        }
    }
}

TEST(FieldCase, C17_no_image_to_return_to_ends_in_no_loop) {
    TrialBench device;
    ASSERT_TRUE(device.install());
    device.shut_down();
    device.memory()[0x10000 + 5000] = static_cast<uint8_t>(
        device.memory()[0x10000 + 5000] ^ 1);  // the previous image no longer verifies
    device.probe.health = Health::kFail;
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_EQ(device.running(), 1);
    ASSERT_TRUE(device.run_to(State::kFailed, 5000));
    EXPECT_EQ(device.detail(), Detail::kNoOtherImage);
    (void)device.run_until([&] { return device.restart_requested(); }, 3600000);
    EXPECT_FALSE(device.restart_requested());
    // Over power cycles too: it runs, says so, and takes an update that mends it.
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(device.boot());
        EXPECT_EQ(device.running(), 1);
        EXPECT_FALSE(device.run_until([&] { return device.restart_requested(); }, 10000));
    }
    device.probe.health = Health::kPass;
    device.source.package = make_signed_of_size("1.2.0", kTrialImageSize, 9);
    ASSERT_TRUE(device.update_and_settle());
    EXPECT_TRUE(device.running_version() == "1.2.0");
}

}  // namespace
}  // namespace ota
