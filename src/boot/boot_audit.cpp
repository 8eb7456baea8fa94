#include "boot/boot_audit.hpp"

namespace ota {
namespace {

constexpr BootAudit found(BootFinding finding) {
    return {finding, RevertReason::kNone, false};
}
constexpr BootAudit reverted(RevertReason reason) {
    return {BootFinding::kReverted, reason, false};
}

bool is_unsettled(uint32_t state) {
    return state == layout::kStateNew || state == layout::kStatePendingVerify ||
           state == layout::kStateInvalid || state == layout::kStateAborted;
}

bool in_flight(UpdateStage stage) {
    return stage == UpdateStage::kArmed || stage == UpdateStage::kTrial ||
           stage == UpdateStage::kConfirming || stage == UpdateStage::kReverting;
}

RevertReason reason_of(ResetReason reset) {
    switch (reset) {
        case ResetReason::kPanic:
        case ResetReason::kSoftware:  // restarted itself before it was confirmed
            return RevertReason::kCrashed;
        case ResetReason::kWatchdog:
            return RevertReason::kWatchdog;
        case ResetReason::kPowerOn:
        case ResetReason::kBrownout:
            return RevertReason::kPowerCycle;
    }
    return RevertReason::kCrashed;
}

// The image that the record speaks of is running.
BootAudit audit_new_image(const BootStatus& boot, const UpdateRecord& record) {
    if (record.stage == UpdateStage::kReverting) {
        // otadata was switched already, and the bootloader came back here.
        const bool refused = boot.boot != boot.running;
        return found(refused ? BootFinding::kNoWayBack : BootFinding::kFinishRevert);
    }
    if (record.stage == UpdateStage::kConfirming) return found(BootFinding::kFinishConfirm);
    // Whatever otadata says: VALID without a recorded decision was written by somebody else.
    return found(BootFinding::kTrial);
}

// Another image than the record speaks of is running.
BootAudit audit_previous_image(const BootStatus& boot, const UpdateRecord& record) {
    if (record.stage == UpdateStage::kReverting) return reverted(record.reason);
    const OtadataEntry* entry = boot.entry_for(record.slot);
    const uint32_t state = entry == nullptr ? layout::kStateUndefined : entry->state;
    // INVALID is written after a recorded decision alone; without one the write of VALID was torn.
    const bool lost = entry == nullptr || state == layout::kStateInvalid;
    const bool aborted = state == layout::kStateAborted;
    // The bootloader turns NEW into PENDING_VERIFY before it loads: this one was not tried yet.
    const bool untried = state == layout::kStateNew;
    if (!lost && !aborted && !untried) return reverted(RevertReason::kOtherImage);
    // Local health had said yes, or the image never had its chance.
    const bool deserves_boot = record.stage == UpdateStage::kConfirming || untried ||
                               (lost && record.stage == UpdateStage::kArmed);
    // Without a size there is nothing to prove again: the journal was lost when it was armed.
    if (!deserves_boot || record.size == 0) return reverted(reason_of(boot.reset));
    const bool can_arm = record.slot == boot.standby && record.attempts < kMaxTrials;
    if (!can_arm) return reverted(RevertReason::kNeverBooted);
    return found(BootFinding::kRearm);
}

}  // namespace

BootAudit audit_boot(const BootStatus& boot, const UpdateRecord& record,
                     const Digest& running_build) {
    BootAudit audit;
    const bool is_new = boot.running == record.slot && record.build_id == running_build;
    if (in_flight(record.stage) && is_new) {
        audit = audit_new_image(boot, record);
    } else if (in_flight(record.stage) && boot.running != record.slot) {
        audit = audit_previous_image(boot, record);
    } else if (boot.running != kFactorySlot && is_unsettled(boot.state_of(boot.running))) {
        // Nobody recorded this start (journal lost, or another tool armed it): unvalidated.
        audit = found(BootFinding::kTrial);
    }
    const SlotId expected = boot.running == kFactorySlot ? kNoSlot : boot.running;
    audit.repair = boot.boot != expected;
    return audit;
}

}  // namespace ota
