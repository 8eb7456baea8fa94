// What happens after the restart: trial, confirmation, revert, repair.
#include "support/device.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

using test::Device;
using test::FakeProbe;
using test::make_signed_of_size;

constexpr uint32_t kSize = 24 * 1024;

struct Bench : Device {
    explicit Bench(const test::DeviceLayout& layout = {}) : Device(layout) {
        put_image(layout.factory ? kFactorySlot : SlotId{0},
                  make_signed_of_size("1.0.0", kSize, 1));
        source.package = make_signed_of_size("1.1.0", kSize, 2);
        probes.push_back(&probe);
        EXPECT_TRUE(boot());
    }
    // Up to the restart into the new image.
    bool install() {
        (void)post(CommandKind::kStartUpdate);
        if (!run_to(State::kReadyToApply)) return false;
        (void)post(CommandKind::kApply);
        return run_until([&] { return restart_requested(); });
    }
    bool wait_for(Notice notice, Millis limit = 600000) {
        return run_until([&] { return events.count(notice) != 0; }, limit);
    }
    // Checks without being asked: is the build that was given up left alone?
    bool is_left_alone() {
        (void)post(CommandKind::kCheck);
        if (!run_until([&] { return state() != State::kChecking && mailbox.queue.empty(); }))
            return false;
        const Event* idle = events.last(State::kIdle);
        return idle != nullptr && idle->status.detail() == Detail::kRevertedBefore;
    }
    FakeProbe probe;
};

TEST(Trial, StatusIsIdleAndNothingNewBegins) {
    Bench device;
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
    Bench device;
    device.probe.health = Health::kPending;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_FALSE(device.wait_for(Notice::kConfirmed, 60000));
    device.probe.health = Health::kPass;
    EXPECT_TRUE(device.wait_for(Notice::kConfirmed));
}

TEST(Trial, CommandConfirmsAtOnce) {
    Bench device;
    device.probe.health = Health::kPending;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    (void)device.post(CommandKind::kConfirm);
    device.step();
    EXPECT_EQ(device.events.count(Notice::kConfirmed), 1U);
    EXPECT_EQ(device.boot_status().state_of(1), layout::kStateValid);
}

TEST(Trial, FailingProbeRevertsAtOnceWithItsName) {
    Bench device;
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
    Bench device;
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
            Bench device;
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
    Bench device;
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
    Bench device;
    device.probe.health = Health::kPending;
    device.settings.allow_rollback = false;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_EQ(device.events.count(Notice::kConfirmed), 1U);
}

TEST(Rollback, GoesBackAfterConfirmationToo) {
    Bench device;
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
    Bench device;
    (void)device.post(CommandKind::kRollback);
    device.step();
    EXPECT_EQ(device.state(), State::kFailed);
    EXPECT_EQ(device.detail(), Detail::kNoOtherImage);
    ASSERT_TRUE(device.boot());
    EXPECT_EQ(device.running(), 0);
}

TEST(Rollback, NeverBootsWhatNobodyProved) {
    Bench refused;
    refused.source.package = test::make_image({});  // whole, and not signed
    (void)refused.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(refused.run_to(State::kFailed));
    EXPECT_NE(refused.memory()[0x30000], layout::kImageMagic);  // does not even look like an image
    (void)refused.post(CommandKind::kRollback);
    refused.step();
    EXPECT_EQ(refused.detail(), Detail::kNoOtherImage);
    ASSERT_TRUE(refused.boot());
    EXPECT_EQ(refused.running(), 0);

    Bench aborted;
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
    Bench device;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    ASSERT_TRUE(device.wait_for(Notice::kConfirmed));
    device.memory()[0x10000 + 5000] = 0;  // the previous image is damaged
    (void)device.post(CommandKind::kRollback);
    device.step();
    EXPECT_EQ(device.detail(), Detail::kNoOtherImage);
    ASSERT_TRUE(device.boot());
    EXPECT_EQ(device.manager().snapshot().report_stage, UpdateStage::kConfirmed);

    Bench staging;
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
    Bench device;
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
    device.source.package = make_signed_of_size("1.2.0", kSize, 9);
    EXPECT_TRUE(device.update_and_settle());
}

TEST(Trial, ConfirmedBySomebodyElseIsStillATrial) {
    Bench device;
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
    Bench device;
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
    Bench device({.factory = true});
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
    device.source.package = make_signed_of_size("1.2.0", kSize, 4);
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_TRUE(device.wait_for(Notice::kConfirmed));
}

TEST(Update, ThreeSlotsAreUsedInTurn) {
    Bench device({.slots = 3});
    const std::array<const char*, 4> versions = {"1.1.0", "1.2.0", "1.3.0", "1.4.0"};
    for (size_t i = 0; i < versions.size(); ++i) {
        device.source.package =
            make_signed_of_size(versions[i], kSize, static_cast<uint32_t>(i) + 10);
        ASSERT_TRUE(device.update_and_settle()) << versions[i];
        EXPECT_EQ(device.running(), (i + 1) % 3);
        EXPECT_TRUE(device.running_version() == versions[i]);
    }
}

TEST(RollbackProtection, SecureVersionOfAConfirmedImageStays) {
    Bench device;
    device.source.package = test::make_signed({.version = "1.1.0", .seed = 3, .secure_version = 5});
    ASSERT_TRUE(device.update_and_settle());
    device.source.package = test::make_signed({.version = "1.2.0", .seed = 4, .secure_version = 4});
    (void)device.post(CommandKind::kCheck);
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.detail(), Detail::kSecureVersion);
}

// ---------------------------------------------------------------- field cases, group C

TEST(FieldCase, C05_any_otadata_boots_a_verified_slot_and_is_repaired_once) {
    const auto bad_crc = [](MutableBytes entry) { entry[28] ^= 0xFF; };
    for (int damage = 0; damage < 5; ++damage) {
        Bench device;
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
    Bench device;
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
    Bench original;
    original.probe.health = Health::kFail;
    ASSERT_TRUE(original.install());
    const test::Buffer installed = original.memory();
    for (uint64_t cut = 1; cut < 40; ++cut) {
        Bench device;
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
    Bench counting;
    const uint64_t before = counting.flash.operations();
    ASSERT_TRUE(counting.update_and_settle());
    const uint64_t total = counting.flash.operations() - before;
    ASSERT_GT(total, 50U);
    for (uint64_t cut = 1; cut <= total; cut += 3) {
        Bench device;
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
    Bench device;
    ASSERT_TRUE(device.install());
    device.probe.health = Health::kPending;
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    device.probe.health = Health::kPass;
    device.flash.fail_operations(1, 2);  // the intent is recorded, the otadata erase fails twice
    ASSERT_TRUE(device.wait_for(Notice::kConfirmed));
    EXPECT_EQ(device.boot_status().state_of(1), layout::kStateValid);

    Bench broken;
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
            Bench device;
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
    Bench device;
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
    device.source.package = make_signed_of_size("1.2.0", kSize, 9);
    ASSERT_TRUE(device.update_and_settle());
    EXPECT_TRUE(device.running_version() == "1.2.0");
}

// Entries that ESP-IDF's in-place rewrites lose to a power cut.
TEST(Repair, EntryLostBeforeTheFirstBootIsArmedAgain) {
    Bench device;
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
    Bench device;
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
    Bench device;
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
    Bench device;
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
    Bench device;
    ASSERT_TRUE(device.install());
    device.flash.cut_at(2, CutKind::kClean, 1);
    EXPECT_FALSE(device.boot(ResetReason::kSoftware));
    device.flash.power_on();
    device.memory()[0x30000 + 5000] = static_cast<uint8_t>(device.memory()[0x30000 + 5000] ^ 1);
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.run_to(State::kFailed));
    (void)device.post(CommandKind::kCheck);
    ASSERT_TRUE(device.run_to(State::kUpdateAvailable));
    EXPECT_TRUE(device.install());

    Bench resumed;
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
        Bench device;
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
    Bench device;
    ASSERT_TRUE(device.install());
    device.flash.cut_at(2, CutKind::kClean, 1);
    EXPECT_FALSE(device.boot(ResetReason::kSoftware));
    device.flash.power_on();
    device.battery.values.soc_percent = 10;
    ASSERT_TRUE(device.boot());
    EXPECT_FALSE(device.run_until([&] { return device.restart_requested(); }, 600000));
    device.battery.values.soc_percent = 80;
    EXPECT_TRUE(device.run_until([&] { return device.restart_requested(); }));
}

TEST(Repair, ImageThatTheBootloaderRefusesIsReported) {
    Bench device;
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
    Bench device;
    const std::array<uint8_t, 16> bytes{};
    EXPECT_EQ(device.flash.program(0x10000, bytes).detail(), Detail::kRunningSlot);
    EXPECT_EQ(device.flash.erase(0x2F000, 0x1000).detail(), Detail::kRunningSlot);
    EXPECT_TRUE(device.flash.erase(0x30000, 0x1000).ok());
}

}  // namespace
}  // namespace ota
