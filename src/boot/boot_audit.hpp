#pragma once

#include "ports/update_record.hpp"

namespace ota {

// What the start of the firmware means for the latest update.
enum class BootFinding : uint8_t {
    kNormal,         // nothing to do
    kTrial,          // the running image is unconfirmed: health decides
    kFinishConfirm,  // it was decided to keep it; make that durable
    kFinishRevert,   // it was decided to leave it, and it still runs
    kNoWayBack,      // it was left, and the bootloader found nothing else that boots
    kReverted,       // the new image was given up; the previous one runs
    kRearm,          // the otadata entry of the new image was lost to a power cut: boot it again
};

struct BootAudit {
    BootFinding finding = BootFinding::kNormal;
    RevertReason reason = RevertReason::kNone;  // with kReverted
    bool repair = false;  // otadata names another slot than the one that runs, or none
};

// Compares running slot, otadata and journal; the only way to notice what ESP-IDF's in-place
// rewrites lose (docs/flash-layout.md, "Power cuts"). running_build: build id of the running image.
BootAudit audit_boot(const BootStatus& boot, const UpdateRecord& record,
                     const Digest& running_build);

}  // namespace ota
