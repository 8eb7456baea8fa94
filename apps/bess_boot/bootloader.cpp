#include "bootloader.hpp"

#include <mbedtls/md5.h>

#include <array>
#include <cstring>

#include "ports/flash_layout.hpp"

namespace rom {
namespace {

namespace layout = ota::layout;
constexpr int kInvalidIndex = -99;

// esp_rom_crc32_le(UINT32_MAX, &seq, 4): the register starts at zero.
uint32_t seq_crc(uint32_t seq) {
    uint32_t crc = seq;
    for (int bit = 0; bit < 32; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320U : crc >> 1;
    return ~crc;
}

struct Entry {
    std::array<uint8_t, layout::kOtadataEntrySize> raw{};

    uint32_t word(uint32_t at) const {
        uint32_t value = 0;
        std::memcpy(&value, &raw[at], sizeof value);
        return value;
    }
    uint32_t seq() const { return word(layout::kOtadataSeqOffset); }
    uint32_t state() const { return word(layout::kOtadataStateOffset); }
    void set_state(uint32_t state) {
        std::memcpy(&raw[layout::kOtadataStateOffset], &state, sizeof state);
    }
    bool crc_ok() const { return seq_crc(seq()) == word(layout::kOtadataCrcOffset); }
    bool unusable() const {
        return seq() == layout::kSeqNone || state() == layout::kStateInvalid ||
               state() == layout::kStateAborted;
    }
    bool valid() const { return !unusable() && crc_ok(); }
};

bool write_entry(RomFlash& flash, const Slot& otadata, size_t copy, const Entry& entry) {
    const uint32_t address = otadata.offset + static_cast<uint32_t>(copy) * layout::kSectorSize;
    return flash.erase_sector(address) && flash.program(address, entry.raw);
}

void note(std::vector<std::string>* log, const std::string& line) {
    if (log != nullptr) log->push_back(line);
}

std::string name_of(int index) {
    if (index == kFactory) return "factory";
    return index == kTestApp ? "test app" : "ota_" + std::to_string(index);
}

// Chooses the index to try first; what it writes on the way can be cut by a power loss.
class Selection {
  public:
    Selection(RomFlash& flash, const Partitions& table, std::vector<std::string>* log)
        : flash_(flash), table_(table), log_(log) {}

    bool initial_contents() const { return initial_contents_; }

    // kInvalidIndex after a power loss.
    int select() {
        for (size_t copy = 0; copy < 2; ++copy) {
            const uint32_t address =
                table_.otadata->offset + static_cast<uint32_t>(copy) * layout::kSectorSize;
            if (!flash_.read(address, entries_[copy].raw)) return kInvalidIndex;
        }
        if (!abort_pending()) return kInvalidIndex;
        if ((entries_[0].unusable() && entries_[1].unusable()) || table_.slot_count == 0) {
            if (table_.factory) return kFactory;
            initial_contents_ = !written(entries_[0]) && !written(entries_[1]);
            note(log_, "otadata names no slot: trying ota_0");
            return 0;
        }
        const int active = active_copy();
        if (active < 0) return kFactory;
        Entry& entry = entries_[static_cast<size_t>(active)];
        if (entry.state() == layout::kStateNew) {
            entry.set_state(layout::kStatePendingVerify);
            note(log_, "first boot of " + name_of(slot_of(entry)) + ": on trial");
            if (!write_entry(flash_, *table_.otadata, static_cast<size_t>(active), entry)) {
                return kInvalidIndex;
            }
        }
        return slot_of(entry);
    }

  private:
    static bool written(const Entry& entry) {
        return entry.seq() != layout::kSeqNone && entry.crc_ok();
    }
    int slot_of(const Entry& entry) const {
        return static_cast<int>((entry.seq() - 1) % static_cast<uint32_t>(table_.slot_count));
    }
    // A trial that was not confirmed before this reset has failed.
    bool abort_pending() {
        for (size_t copy = 0; copy < 2; ++copy) {
            if (entries_[copy].state() != layout::kStatePendingVerify) continue;
            entries_[copy].set_state(layout::kStateAborted);
            note(log_, "the image on trial was not confirmed: aborted");
            if (!write_entry(flash_, *table_.otadata, copy, entries_[copy])) return false;
        }
        return true;
    }
    int active_copy() const {
        if (entries_[0].valid() && entries_[1].valid()) {
            return entries_[1].seq() > entries_[0].seq() ? 1 : 0;
        }
        if (entries_[0].valid()) return 0;
        return entries_[1].valid() ? 1 : -1;
    }

    RomFlash& flash_;
    const Partitions& table_;
    std::vector<std::string>* log_;
    std::array<Entry, 2> entries_{};
    bool initial_contents_ = false;
};

// The order in which the bootloader tries: index, down to ota_0, factory, upwards, the test app.
std::vector<int> attempts(int index, int count) {
    std::vector<int> order;
    for (int i = index; i >= 0; --i) order.push_back(i);
    order.push_back(kFactory);
    for (int i = index + 1; i < count; ++i) order.push_back(i);
    order.push_back(kTestApp);
    return order;
}

void store_initial(RomFlash& flash, const Slot& otadata, int index) {
    Entry entry;
    entry.raw.fill(0xFF);
    const uint32_t seq = static_cast<uint32_t>(index) + 1;
    std::memcpy(&entry.raw[layout::kOtadataSeqOffset], &seq, sizeof seq);
    entry.set_state(layout::kStateValid);
    const uint32_t crc = seq_crc(seq);
    std::memcpy(&entry.raw[layout::kOtadataCrcOffset], &crc, sizeof crc);
    (void)write_entry(flash, otadata, 0, entry);
}

bool md5_holds(std::span<const uint8_t> entries, const uint8_t* expected) {
    std::array<uint8_t, 16> digest{};
    mbedtls_md5_ret(entries.data(), entries.size(), digest.data());
    return std::memcmp(digest.data(), expected, digest.size()) == 0;
}

// Sorts one entry into the table; false when it lies outside the chip.
bool take_entry(const uint8_t* entry, uint32_t flash_size, Partitions& found) {
    const uint8_t type = entry[2];
    const uint8_t subtype = entry[3];
    Slot slot;
    std::memcpy(&slot.offset, entry + 4, 4);
    std::memcpy(&slot.size, entry + 8, 4);
    if (slot.offset > flash_size || slot.size > flash_size - slot.offset) return false;
    if (type == layout::kTypeData && subtype == layout::kSubtypeOtadata) found.otadata = slot;
    if (type != layout::kTypeApp) return true;
    if (subtype == layout::kSubtypeFactory) found.factory = slot;
    if (subtype == layout::kSubtypeTest) found.test_app = slot;
    if (subtype >= layout::kSubtypeOta0 && subtype < layout::kSubtypeOta0 + layout::kMaxOtaSlots) {
        found.slots[subtype - layout::kSubtypeOta0] = slot;
        ++found.slot_count;
    }
    return true;
}

std::optional<Slot> place_of(const Partitions& table, int index) {
    if (index == kFactory) return table.factory;
    if (index == kTestApp) return table.test_app;
    return table.slots[static_cast<size_t>(index) % table.slots.size()];
}

}  // namespace

std::optional<Partitions> read_partitions(RomFlash& flash) {
    std::array<uint8_t, layout::kPartitionTableSize> table;
    if (!flash.read(layout::kPartitionTableOffset, table)) return std::nullopt;
    Partitions found;
    for (size_t at = 0; at < table.size(); at += layout::kPartitionEntrySize) {
        const uint8_t* entry = &table[at];
        uint16_t magic = 0;
        std::memcpy(&magic, entry, sizeof magic);
        if (magic == layout::kPartitionMd5Magic) {
            if (!md5_holds(std::span(table).first(at), entry + 16)) return std::nullopt;
        } else if (magic == layout::kPartitionMagic) {
            if (!take_entry(entry, flash.size(), found)) return std::nullopt;
        } else {
            // Anything but the terminator means that the table is damaged.
            const bool terminator = magic == 0xFFFF && entry[2] == 0xFF && entry[3] == 0xFF;
            return terminator && at != 0 ? std::optional(found) : std::nullopt;
        }
    }
    return std::nullopt;
}

std::optional<Boot> boot(RomFlash& flash, std::vector<std::string>* log) {
    const std::optional<Partitions> table = read_partitions(flash);
    if (!table) {
        note(log, "the partition table is unusable");
        return std::nullopt;
    }
    int index = kFactory;
    bool initial = false;
    if (table->otadata) {
        if (table->otadata->size < layout::kOtadataSize) return std::nullopt;
        Selection selection(flash, *table, log);
        index = selection.select();
        initial = selection.initial_contents();
    }
    if (index == kInvalidIndex) return std::nullopt;
    for (const int candidate : attempts(index, table->slot_count)) {
        const std::optional<Slot> place = place_of(*table, candidate);
        if (!place) continue;
        const std::optional<Image> image = verify_image(flash, place->offset, place->size);
        if (!image) {
            note(log, name_of(candidate) + " holds no valid image");
            continue;
        }
        if (initial && candidate >= 0) store_initial(flash, *table->otadata, candidate);
        return Boot{candidate, *place, *image};
    }
    return std::nullopt;
}

}  // namespace rom
