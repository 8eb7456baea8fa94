#include "boot/otadata.hpp"

#include "base/crc32.hpp"
#include "ports/flash_layout.hpp"

namespace ota {
namespace {

constexpr Status fault(Code code, Detail detail) {
    return {code, Origin::kBoot, detail};
}

uint32_t seq_crc(uint32_t seq) {
    std::array<uint8_t, 4> bytes;
    store_le32(bytes.data(), seq);
    return crc32(layout::kOtadataCrcSeed, bytes);
}

}  // namespace

OtadataEntry parse_otadata_entry(Bytes bytes) {
    OtadataEntry entry;
    entry.seq = load_le32(&bytes[layout::kOtadataSeqOffset]);
    entry.state = load_le32(&bytes[layout::kOtadataStateOffset]);
    entry.crc_ok = load_le32(&bytes[layout::kOtadataCrcOffset]) == seq_crc(entry.seq);
    return entry;
}

void serialize_otadata_entry(uint32_t seq, uint32_t state, MutableBytes out) {
    std::fill(out.begin(), out.end(), uint8_t{0xFF});
    store_le32(&out[layout::kOtadataSeqOffset], seq);
    store_le32(&out[layout::kOtadataStateOffset], state);
    store_le32(&out[layout::kOtadataCrcOffset], seq_crc(seq));
}

Status OtadataBootControl::status(BootStatus& out) {
    out = BootStatus();
    out.running = setup_.running;
    out.slot_count = setup_.slot_count;
    out.factory = setup_.factory;
    out.reset = setup_.reset;
    out.standby = standby_slot();
    for (size_t copy = 0; copy < out.entries.size(); ++copy) {
        std::array<uint8_t, layout::kOtadataEntrySize> bytes;
        OTA_TRY(flash_.read(static_cast<uint32_t>(copy) * layout::kSectorSize, bytes));
        out.entries[copy] = parse_otadata_entry(bytes);
    }
    const size_t active = active_copy(out);
    out.boot = active == kNone ? kNoSlot : out.slot_of(out.entries[active]);
    return {};
}

// esp_ota_get_next_update_partition: the slot behind the running one.
SlotId OtadataBootControl::standby_slot() const {
    if (setup_.running == kFactorySlot) return 0;
    return static_cast<SlotId>((setup_.running + 1) % setup_.slot_count);
}

// The larger sequence of the bootable entries; a tie goes to copy 0.
size_t OtadataBootControl::active_copy(const BootStatus& status) const {
    const bool first = status.entries[0].bootable();
    const bool second = status.entries[1].bootable();
    if (first && second) return status.entries[1].seq > status.entries[0].seq ? 1 : 0;
    if (first) return 0;
    return second ? 1 : kNone;
}

Status OtadataBootControl::erase_copy(size_t copy) {
    return flash_.erase(static_cast<uint32_t>(copy) * layout::kSectorSize, layout::kSectorSize);
}

Status OtadataBootControl::write_copy(size_t copy, uint32_t seq, uint32_t state) {
    std::array<uint8_t, layout::kOtadataEntrySize> entry;
    serialize_otadata_entry(seq, state, entry);
    OTA_TRY(erase_copy(copy));
    const uint32_t address = static_cast<uint32_t>(copy) * layout::kSectorSize;
    OTA_TRY(flash_.program(address, entry));
    std::array<uint8_t, layout::kOtadataEntrySize> back;
    OTA_TRY(flash_.read(address, back));
    return back == entry ? kOkStatus : fault(Code::kStorage, Detail::kOtadataWrite);
}

// A new entry with the smallest larger sequence that means slot, into the copy that is not active.
Status OtadataBootControl::write_next(const BootStatus& status, SlotId slot, uint32_t state) {
    const size_t active = active_copy(status);
    uint32_t base = 0;
    for (const OtadataEntry& entry : status.entries) {
        if (entry.written()) base = std::max(base, entry.seq);
    }
    const size_t copy = active == kNone ? 0 : 1 - active;
    if (base >= layout::kSeqNone - setup_.slot_count) {
        // No larger sequence is left, which only damage can bring about: start over. The new entry
        // is complete before the one with the impossible sequence goes.
        OTA_TRY(write_copy(copy, slot + 1U, state));
        return erase_copy(1 - copy);
    }
    uint32_t seq = base + 1;
    while ((seq - 1) % setup_.slot_count != slot) ++seq;
    return write_copy(copy, seq, state);
}

Status OtadataBootControl::arm_trial(SlotId slot) {
    if (slot >= setup_.slot_count || slot == setup_.running) {
        return fault(Code::kOutOfRange, Detail::kRunningSlot);
    }
    BootStatus now;
    OTA_TRY(status(now));
    const size_t active = active_copy(now);
    if (active != kNone && now.boot == slot) {
        return write_copy(active, now.entries[active].seq, layout::kStateNew);
    }
    return write_next(now, slot, layout::kStateNew);
}

Status OtadataBootControl::disarm() {
    BootStatus now;
    OTA_TRY(status(now));
    for (size_t copy = 0; copy < now.entries.size(); ++copy) {
        const OtadataEntry& entry = now.entries[copy];
        const bool armed = entry.written() && entry.state == layout::kStateNew &&
                           now.slot_of(entry) != setup_.running;
        if (armed) OTA_TRY(erase_copy(copy));
    }
    return {};
}

Status OtadataBootControl::invalidate_standby() {
    BootStatus now;
    OTA_TRY(status(now));
    for (size_t copy = 0; copy < now.entries.size(); ++copy) {
        const OtadataEntry& entry = now.entries[copy];
        if (entry.written() && now.slot_of(entry) == now.standby) OTA_TRY(erase_copy(copy));
    }
    return {};
}

Status OtadataBootControl::settle(bool keep) {
    BootStatus now;
    OTA_TRY(status(now));
    return keep ? keep_running(now) : give_up_running(now);
}

Status OtadataBootControl::keep_running(const BootStatus& now) {
    if (setup_.running == kFactorySlot) {
        for (size_t copy = 0; copy < now.entries.size(); ++copy) {
            if (now.entries[copy].bootable()) OTA_TRY(erase_copy(copy));
        }
        return {};
    }
    const size_t active = active_copy(now);
    if (active == kNone || now.boot != setup_.running) {
        return write_next(now, setup_.running, layout::kStateValid);
    }
    const OtadataEntry& entry = now.entries[active];
    if (entry.state == layout::kStateValid) return {};
    return write_copy(active, entry.seq, layout::kStateValid);
}

bool OtadataBootControl::other_boots(const BootStatus& now) const {
    return now.boot != kNoSlot && now.boot != setup_.running && inspector_.is_bootable(now.boot);
}

Status OtadataBootControl::give_up_running(const BootStatus& now) {
    const size_t active = active_copy(now);
    const bool named = active != kNone && now.boot == setup_.running;
    const OtadataEntry& other = now.entries[active == kNone ? 0 : 1 - active];
    const bool other_names_image = other.bootable() && now.slot_of(other) != setup_.running &&
                                   inspector_.is_bootable(now.slot_of(other));
    const bool factory = setup_.factory && inspector_.is_bootable(kFactorySlot);
    // A slot that no entry names holds bytes that nobody proved: it is never named here.
    if (named && (other_names_image || factory)) {
        // An entry that leads nowhere would keep the bootloader from the factory slot.
        if (!other_names_image && other.bootable()) OTA_TRY(erase_copy(1 - active));
        return write_copy(active, now.entries[active].seq, layout::kStateInvalid);
    }
    // An earlier try lost the entry of the running slot, and failed: the next start goes to the
    // other.
    if (!named && other_boots(now)) return {};
    return fault(Code::kRefused, Detail::kNoOtherImage);
}

}  // namespace ota
