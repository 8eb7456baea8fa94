#include "boot/boot_audit.hpp"

#include "support/test.hpp"

namespace ota {
namespace {

constexpr uint32_t kNew = layout::kStateNew;
constexpr uint32_t kPending = layout::kStatePendingVerify;
constexpr uint32_t kValid = layout::kStateValid;
constexpr uint32_t kInvalid = layout::kStateInvalid;
constexpr uint32_t kAborted = layout::kStateAborted;
constexpr uint32_t kLost = 0xFFFFFFFE;  // stands for "no entry" in the table below

Digest build(uint8_t n) {
    Digest digest;
    digest.fill(n);
    return digest;
}

// Slot 0 holds the old image (build 1), slot 1 the new one (build 2).
BootStatus status(SlotId running, uint32_t new_state, ResetReason reset) {
    BootStatus boot;
    boot.running = running;
    boot.slot_count = 2;
    boot.entries[0] = {1, kValid, true};
    if (new_state != kLost) boot.entries[1] = {2, new_state, true};
    const bool new_boots = boot.entries[1].bootable();
    boot.boot = new_boots ? 1 : 0;
    boot.standby = running == 0 ? 1 : 0;
    boot.reset = reset;
    return boot;
}

BootAudit audit(UpdateStage stage, SlotId running, uint32_t new_state,
                ResetReason reset = ResetReason::kPowerOn, uint8_t attempts = 1) {
    UpdateRecord record;
    record.stage = stage;
    record.slot = 1;
    record.attempts = attempts;
    record.size = 100000;
    record.build_id = build(2);
    record.reason = RevertReason::kDeadline;
    return audit_boot(status(running, new_state, reset), record, build(running == 0 ? 1 : 2));
}

TEST(BootAudit, QuietStart) {
    for (const UpdateStage stage : {UpdateStage::kNone, UpdateStage::kStaging,
                                    UpdateStage::kReverted, UpdateStage::kDropped}) {
        const BootAudit result = audit(stage, 0, kLost);
        EXPECT_EQ(result.finding, BootFinding::kNormal);
        EXPECT_FALSE(result.repair);
    }
    EXPECT_EQ(audit(UpdateStage::kConfirmed, 1, kValid).finding, BootFinding::kNormal);
}

TEST(BootAudit, NewImageIsOnTrial) {
    for (const UpdateStage stage : {UpdateStage::kArmed, UpdateStage::kTrial}) {
        // VALID too: somebody else wrote it, and nobody asked a probe.
        for (const uint32_t state : {kPending, kNew, kAborted, kValid}) {
            EXPECT_EQ(audit(stage, 1, state).finding, BootFinding::kTrial) << state;
        }
    }
}

TEST(BootAudit, UnrecordedUnconfirmedImageIsOnTrialToo) {
    EXPECT_EQ(audit(UpdateStage::kNone, 1, kPending).finding, BootFinding::kTrial);
    EXPECT_EQ(audit(UpdateStage::kStaging, 1, kPending).finding, BootFinding::kTrial);
}

TEST(BootAudit, DecisionsAreFinished) {
    EXPECT_EQ(audit(UpdateStage::kConfirming, 1, kPending).finding, BootFinding::kFinishConfirm);
    EXPECT_EQ(audit(UpdateStage::kConfirming, 1, kValid).finding, BootFinding::kFinishConfirm);
    EXPECT_EQ(audit(UpdateStage::kReverting, 1, kPending).finding, BootFinding::kFinishRevert);
    // otadata names the other slot, and still this one runs.
    EXPECT_EQ(audit(UpdateStage::kReverting, 1, kInvalid).finding, BootFinding::kNoWayBack);
}

TEST(BootAudit, OldImageAfterATrialSaysWhy) {
    struct Row {
        ResetReason reset;
        RevertReason reason;
    };
    constexpr std::array<Row, 5> kRows = {{{ResetReason::kPanic, RevertReason::kCrashed},
                                           {ResetReason::kSoftware, RevertReason::kCrashed},
                                           {ResetReason::kWatchdog, RevertReason::kWatchdog},
                                           {ResetReason::kPowerOn, RevertReason::kPowerCycle},
                                           {ResetReason::kBrownout, RevertReason::kPowerCycle}}};
    for (const Row& row : kRows) {
        for (const UpdateStage stage : {UpdateStage::kArmed, UpdateStage::kTrial}) {
            const BootAudit result = audit(stage, 0, kAborted, row.reset);
            EXPECT_EQ(result.finding, BootFinding::kReverted);
            EXPECT_EQ(result.reason, row.reason);
        }
    }
    EXPECT_EQ(audit(UpdateStage::kReverting, 0, kInvalid).reason, RevertReason::kDeadline);
    EXPECT_EQ(audit(UpdateStage::kReverting, 0, kLost).reason, RevertReason::kDeadline);
}

TEST(BootAudit, BootableEntryThatDidNotBootIsAnotherImage) {
    for (const uint32_t state : {kPending, kValid}) {
        const BootAudit result = audit(UpdateStage::kArmed, 0, state);
        EXPECT_EQ(result.reason, RevertReason::kOtherImage) << state;
        EXPECT_TRUE(result.repair) << state;
    }
}

TEST(BootAudit, LostEntriesAreWrittenAgain) {
    EXPECT_EQ(audit(UpdateStage::kArmed, 0, kLost).finding, BootFinding::kRearm);
    EXPECT_EQ(audit(UpdateStage::kArmed, 0, kNew).finding, BootFinding::kRearm);  // not tried yet
    EXPECT_EQ(audit(UpdateStage::kConfirming, 0, kInvalid).finding, BootFinding::kRearm);  // torn
    EXPECT_EQ(audit(UpdateStage::kConfirming, 0, kLost).finding, BootFinding::kRearm);
    EXPECT_EQ(audit(UpdateStage::kConfirming, 0, kAborted).finding, BootFinding::kRearm);
    // A trial that was under way had its chance.
    EXPECT_EQ(audit(UpdateStage::kTrial, 0, kLost).finding, BootFinding::kReverted);
}

TEST(BootAudit, RearmingHasABound) {
    const BootAudit result =
        audit(UpdateStage::kArmed, 0, kLost, ResetReason::kPowerOn, kMaxTrials);
    EXPECT_EQ(result.finding, BootFinding::kReverted);
    EXPECT_EQ(result.reason, RevertReason::kNeverBooted);
}

TEST(BootAudit, OtadataThatNamesAnotherSlotNeedsRepair) {
    BootStatus boot = status(0, kLost, ResetReason::kPowerOn);
    boot.boot = kNoSlot;
    EXPECT_TRUE(audit_boot(boot, UpdateRecord(), build(1)).repair);
    boot.boot = 1;
    EXPECT_TRUE(audit_boot(boot, UpdateRecord(), build(1)).repair);
    boot.boot = 0;
    EXPECT_FALSE(audit_boot(boot, UpdateRecord(), build(1)).repair);
}

TEST(BootAudit, FactoryIsNeverOnTrial) {
    BootStatus boot = status(0, kLost, ResetReason::kPowerOn);
    boot.running = kFactorySlot;
    boot.entries = {};
    boot.boot = kNoSlot;
    const BootAudit result = audit_boot(boot, UpdateRecord(), build(1));
    EXPECT_EQ(result.finding, BootFinding::kNormal);
    EXPECT_FALSE(result.repair);
}

}  // namespace
}  // namespace ota
