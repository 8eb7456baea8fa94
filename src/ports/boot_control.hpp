// Which slot boots: ESP-IDF's otadata as the update logic sees it.
#pragma once

#include <array>

#include "base/status.hpp"
#include "ports/flash_layout.hpp"

namespace ota {

// Index of an OTA slot (ota_0 = 0 …).
using SlotId = uint8_t;
inline constexpr SlotId kFactorySlot = 0xFE;
inline constexpr SlotId kNoSlot = 0xFF;

// Why the chip started (esp_reset_reason). Only the first boot after an event carries it.
enum class ResetReason : uint8_t { kPowerOn, kSoftware, kPanic, kWatchdog, kBrownout };

struct OtadataEntry {
    uint32_t seq = layout::kSeqNone;
    uint32_t state = layout::kStateUndefined;
    bool crc_ok = false;

    // The checks the bootloader makes before it takes an entry for a choice.
    bool written() const { return seq != layout::kSeqNone && seq != 0 && crc_ok; }
    bool bootable() const {
        return written() && state != layout::kStateInvalid && state != layout::kStateAborted;
    }
    bool operator==(const OtadataEntry&) const = default;
};

struct BootStatus {
    SlotId running = kNoSlot;  // the slot whose code executes now
    SlotId boot = kNoSlot;     // the slot that otadata names; kNoSlot when it names none
    SlotId standby = kNoSlot;  // the slot the next update goes to
    uint8_t slot_count = 0;    // OTA slots in the partition table
    bool factory = false;      // a factory slot exists
    std::array<OtadataEntry, 2> entries{};
    ResetReason reset = ResetReason::kPowerOn;

    SlotId slot_of(const OtadataEntry& entry) const {
        return static_cast<SlotId>((entry.seq - 1) % slot_count);
    }
    // The newest written entry that names slot, null when no entry does.
    const OtadataEntry* entry_for(SlotId slot) const {
        const OtadataEntry* found = nullptr;
        for (const OtadataEntry& entry : entries) {
            if (!entry.written() || slot_of(entry) != slot) continue;
            if (found == nullptr || entry.seq > found->seq) found = &entry;
        }
        return found;
    }
    uint32_t state_of(SlotId slot) const {
        const OtadataEntry* entry = entry_for(slot);
        return entry == nullptr ? layout::kStateUndefined : entry->state;
    }
};

// What the platform knows of this start before otadata is read.
struct BootSetup {
    SlotId running = kNoSlot;
    uint8_t slot_count = 0;
    bool factory = false;
    ResetReason reset = ResetReason::kPowerOn;
};

// Would the bootloader run what is in this slot?
class SlotInspector {
  public:
    virtual bool is_bootable(SlotId slot) = 0;

  protected:
    ~SlotInspector() = default;
};

// Engine context. Each write erases one 4 KiB sector and programs one 32-byte entry; power lost
// between the two loses that entry alone, and boot_audit notices it with the journal's help.
class BootControl {
  public:
    virtual Status status(BootStatus& out) = 0;

    // Makes slot the next boot, in state NEW. The entry of the running slot stays untouched.
    virtual Status arm_trial(SlotId slot) = 0;

    // Takes arm_trial back: erases the armed entry's sector, so the running slot boots.
    virtual Status disarm() = 0;

    // Erases the entry that names the standby slot, so that a half-written image can't boot.
    virtual Status invalidate_standby() = 0;

    // true: the running slot becomes the confirmed choice (VALID, read back), whatever otadata
    // held.
    // false: the running image is marked INVALID; kRefused / kNoOtherImage, and nothing written,
    // when no slot that otadata names, nor the factory slot, holds another bootable image. A slot
    // that no entry names holds bytes that nobody proved. Done already where otadata names another
    // bootable slot: an earlier try may have lost the entry of this one.
    virtual Status settle(bool keep) = 0;

  protected:
    ~BootControl() = default;
};

}  // namespace ota
