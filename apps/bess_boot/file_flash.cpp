#include "file_flash.hpp"

#include <algorithm>

#include "ports/flash_layout.hpp"

namespace rom {

bool FileFlash::operation_is_cut() {
    if (wires_.power_lost != 0) return true;
    const uint64_t operation = ++wires_.operations;
    if (wires_.cut_at == 0 || operation != wires_.cut_at) return false;
    wires_.power_lost = 1;
    return true;
}

bool FileFlash::read(uint32_t address, std::span<uint8_t> out) {
    if (wires_.power_lost != 0 || address > memory_.size() ||
        out.size() > memory_.size() - address) {
        return false;
    }
    std::copy_n(memory_.begin() + address, out.size(), out.begin());
    return true;
}

// A cut erase leaves the first half of the sector erased unless the cut is a clean one.
bool FileFlash::erase_sector(uint32_t address) {
    const std::span<uint8_t> sector = memory_.subspan(address, ota::layout::kSectorSize);
    if (operation_is_cut()) {
        if (wires_.cut_kind != 0) std::fill_n(sector.begin(), sector.size() / 2, uint8_t{0xFF});
        return false;
    }
    std::fill(sector.begin(), sector.end(), uint8_t{0xFF});
    return true;
}

// A cut program leaves the first half of the bytes unless the cut is a clean one.
bool FileFlash::program(uint32_t address, std::span<const uint8_t> bytes) {
    const bool cut = operation_is_cut();
    if (cut && wires_.cut_kind == 0) return false;
    const size_t length = cut ? bytes.size() / 2 : bytes.size();
    for (size_t i = 0; i < length; ++i) {
        memory_[address + i] = static_cast<uint8_t>(memory_[address + i] & bytes[i]);
    }
    return !cut;
}

}  // namespace rom
