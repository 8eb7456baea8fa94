#include "bootloader.hpp"

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
    return index == kFactory ? "factory" : "ota_" + std::to_string(index);
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
        if ((entries_[0].unusable() && entries_[1].unusable()) || table_.slots.empty()) {
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
        return static_cast<int>((entry.seq() - 1) % table_.slots.size());
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

// The order in which the bootloader tries slots: index, down to ota_0, factory, then upwards.
std::vector<int> attempts(int index, int count) {
    std::vector<int> order;
    for (int i = index; i >= 0; --i) order.push_back(i);
    order.push_back(kFactory);
    for (int i = index + 1; i < count; ++i) order.push_back(i);
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

}  // namespace

std::optional<Partitions> read_partitions(RomFlash& flash) {
    std::array<uint8_t, layout::kPartitionTableSize> table;
    if (!flash.read(layout::kPartitionTableOffset, table)) return std::nullopt;
    Partitions found;
    for (size_t at = 0; at < table.size(); at += layout::kPartitionEntrySize) {
        const uint8_t* entry = &table[at];
        uint16_t magic = 0;
        std::memcpy(&magic, entry, sizeof magic);
        if (magic == layout::kPartitionMd5Magic) continue;
        if (magic != layout::kPartitionMagic) {
            // Anything but the terminator means the table is damaged.
            return magic == 0xFFFF && at != 0 ? std::optional(found) : std::nullopt;
        }
        Slot slot;
        std::memcpy(&slot.offset, entry + 4, 4);
        std::memcpy(&slot.size, entry + 8, 4);
        if (slot.offset > flash.size() || slot.size > flash.size() - slot.offset)
            return std::nullopt;
        if (entry[2] == layout::kTypeData && entry[3] == layout::kSubtypeOtadata)
            found.otadata = slot;
        if (entry[2] == layout::kTypeApp && entry[3] == layout::kSubtypeFactory)
            found.factory = slot;
        if (entry[2] == layout::kTypeApp && entry[3] == layout::kSubtypeOta0 + found.slots.size()) {
            found.slots.push_back(slot);
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
    if (table->otadata && table->otadata->size >= layout::kOtadataSize) {
        Selection selection(flash, *table, log);
        index = selection.select();
        initial = selection.initial_contents();
    }
    if (index == kInvalidIndex) return std::nullopt;
    for (const int candidate : attempts(index, static_cast<int>(table->slots.size()))) {
        const bool there = candidate == kFactory
                               ? table->factory.has_value()
                               : static_cast<size_t>(candidate) < table->slots.size();
        if (!there) continue;
        const Slot place =
            candidate == kFactory ? *table->factory : table->slots[static_cast<size_t>(candidate)];
        const std::optional<Image> image = verify_image(flash, place.offset, place.size);
        if (!image) {
            note(log, name_of(candidate) + " holds no valid image");
            continue;
        }
        if (initial && candidate != kFactory) store_initial(flash, *table->otadata, candidate);
        return Boot{candidate, place, *image};
    }
    return std::nullopt;
}

}  // namespace rom
