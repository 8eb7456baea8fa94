#include "linux/flash_model.hpp"

namespace ota {
namespace {

constexpr Status fault(Code code, Detail detail) {
    return {code, Origin::kPlatform, detail};
}

// Does bytes over target leave every cleared bit cleared? By words: every programmed byte of every
// test goes through here.
bool only_clears(Bytes target, Bytes bytes) {
    uint64_t again = 0;  // bits that would have to become 1
    size_t i = 0;
    for (; i + sizeof again <= bytes.size(); i += sizeof again) {
        uint64_t old_word = 0;
        uint64_t new_word = 0;
        std::memcpy(&old_word, &target[i], sizeof old_word);
        std::memcpy(&new_word, &bytes[i], sizeof new_word);
        again |= new_word & ~old_word;
    }
    for (; i < bytes.size(); ++i) again |= static_cast<uint8_t>(bytes[i] & ~target[i]);
    return again == 0;
}

}  // namespace

FlashModel::FlashModel(MutableBytes memory, uint32_t write_unit)
    : memory_(memory), write_unit_(write_unit) {}

FlashGeometry FlashModel::geometry() const {
    return {static_cast<uint32_t>(memory_.size()), layout::kSectorSize, layout::kBlockSize,
            layout::kPageSize, write_unit_};
}

void FlashModel::protect(uint32_t address, uint32_t length) {
    protect_from_ = address;
    protect_to_ = address + length;
}

void FlashModel::cut_at(uint64_t operation, CutKind kind, uint32_t seed) {
    cut_at_ = operation == 0 ? 0 : operations_ + operation;
    cut_kind_ = kind;
    random_state_ = seed * 2654435761U + 1;
}

void FlashModel::power_on() {
    off_ = false;
    cut_at_ = 0;
}

void FlashModel::fail_reads(uint64_t first, uint64_t count) {
    fail_reads_from_ = reads_ + first + 1;
    fail_reads_to_ = fail_reads_from_ + count;
}

void FlashModel::fail_operations(uint64_t first, uint64_t count) {
    fail_from_ = operations_ + first + 1;
    fail_to_ = fail_from_ + count;
}

void FlashModel::encrypt(uint32_t from, uint32_t to) {
    encrypt_from_ = from;
    encrypt_to_ = to;
}

void FlashModel::place(uint32_t address, Bytes bytes) {
    for (size_t i = 0; i < bytes.size(); ++i) memory_[address + i] = bytes[i];
    apply_key(address, memory_.subspan(address, bytes.size()));
}

void FlashModel::peek(uint32_t address, MutableBytes out) const {
    std::copy_n(memory_.begin() + address, out.size(), out.begin());
    apply_key(address, out);
}

// The same both ways. Not a cipher: all that matters is that it depends on the address, and that
// 0xFF does not stay 0xFF.
void FlashModel::apply_key(uint32_t address, MutableBytes bytes) const {
    for (size_t i = 0; i < bytes.size(); ++i) {
        const uint32_t at = address + static_cast<uint32_t>(i);
        if (at < encrypt_from_ || at >= encrypt_to_) continue;
        bytes[i] = static_cast<uint8_t>(bytes[i] ^ (1 + (at * 2654435761U >> 24) % 255));
    }
}

Status FlashModel::read(uint32_t address, MutableBytes out) {
    OTA_TRY(read_cells(address, out));
    apply_key(address, out);
    return {};
}

Result<bool> FlashModel::is_erased(uint32_t address, uint32_t length) {
    if (!inside(address, length)) return misuse(Code::kOutOfRange, Detail::kUnaligned);
    std::array<uint8_t, layout::kPageSize> page;
    for (uint32_t at = 0; at < length; at += layout::kPageSize) {
        const MutableBytes part =
            MutableBytes(page).first(std::min(layout::kPageSize, length - at));
        OTA_TRY(read_cells(address + at, part));
        if (!is_blank(part)) return false;
    }
    return true;
}

Status FlashModel::read_cells(uint32_t address, MutableBytes out) {
    if (off_) return fault(Code::kStorage, Detail::kPowerOff);
    if (!inside(address, out.size())) return misuse(Code::kOutOfRange, Detail::kUnaligned);
    ++reads_;
    if (reads_ >= fail_reads_from_ && reads_ < fail_reads_to_) {
        return fault(Code::kStorage, Detail::kFlashRead);
    }
    std::copy_n(memory_.begin() + address, out.size(), out.begin());
    blur(address, out);
    return {};
}

Status FlashModel::program(uint32_t address, Bytes bytes) {
    if (!inside(address, bytes.size())) return misuse(Code::kOutOfRange, Detail::kUnaligned);
    if (address % write_unit_ != 0 || bytes.size() % write_unit_ != 0) {
        return misuse(Code::kStorage, Detail::kUnaligned);
    }
    while (!bytes.empty()) {
        const size_t room = layout::kPageSize - address % layout::kPageSize;
        const size_t n = std::min(room, bytes.size());
        std::array<uint8_t, layout::kPageSize> cells;
        std::copy_n(bytes.begin(), n, cells.begin());
        apply_key(address, MutableBytes(cells).first(n));
        OTA_TRY(program_page(address, Bytes(cells).first(n)));
        address += static_cast<uint32_t>(n);
        bytes = bytes.subspan(n);
    }
    return {};
}

Status FlashModel::program_page(uint32_t address, Bytes bytes) {
    if (off_) return fault(Code::kStorage, Detail::kPowerOff);
    if (is_protected(address, bytes.size())) return misuse(Code::kStorage, Detail::kRunningSlot);
    const MutableBytes target = memory_.subspan(address, bytes.size());
    // Over unstable bits: nobody can know that they are not blank; the chip takes it, and what is
    // read back differs.
    const bool unstable = is_unstable(address, bytes.size());
    if (!unstable && !only_clears(target, bytes)) {
        return misuse(Code::kStorage, Detail::kNotErased);
    }
    switch (next_fate()) {
        case Fate::kFails:
            return fault(Code::kStorage, Detail::kFlashProgram);
        case Fate::kCut:
            tear_program(address, target, bytes);
            if (observer_ != nullptr) observer_->on_power_lost();
            return fault(Code::kStorage, Detail::kPowerOff);
        case Fate::kWorks:
            break;
    }
    if (observer_ != nullptr) {
        observer_->on_operation({FlashOperation::Kind::kProgram, address,
                                 static_cast<uint32_t>(bytes.size()), bytes, kPageMicros});
    }
    if (!unstable) {
        std::copy(bytes.begin(), bytes.end(), target.begin());
        return {};
    }
    for (size_t i = 0; i < bytes.size(); ++i) {
        target[i] = static_cast<uint8_t>(target[i] & bytes[i]);
    }
    return {};
}

Status FlashModel::erase(uint32_t address, uint32_t length) {
    if (!inside(address, length)) return misuse(Code::kOutOfRange, Detail::kUnaligned);
    if (address % layout::kSectorSize != 0 || length % layout::kSectorSize != 0) {
        return misuse(Code::kStorage, Detail::kUnaligned);
    }
    while (length != 0) {
        const bool block = address % layout::kBlockSize == 0 && length >= layout::kBlockSize;
        const uint32_t unit = block ? layout::kBlockSize : layout::kSectorSize;
        OTA_TRY(erase_unit(address, unit));
        address += unit;
        length -= unit;
    }
    return {};
}

Status FlashModel::erase_unit(uint32_t address, uint32_t length) {
    if (off_) return fault(Code::kStorage, Detail::kPowerOff);
    if (is_protected(address, length)) return misuse(Code::kStorage, Detail::kRunningSlot);
    const MutableBytes target = memory_.subspan(address, length);
    switch (next_fate()) {
        case Fate::kFails:
            return fault(Code::kStorage, Detail::kFlashErase);
        case Fate::kCut:
            tear_erase(address, target);
            if (observer_ != nullptr) observer_->on_power_lost();
            return fault(Code::kStorage, Detail::kPowerOff);
        case Fate::kWorks:
            break;
    }
    if (observer_ != nullptr) {
        observer_->on_operation({FlashOperation::Kind::kErase,
                                 address,
                                 length,
                                 {},
                                 length == layout::kBlockSize ? kBlockMicros : kSectorMicros});
    }
    std::fill(target.begin(), target.end(), uint8_t{0xFF});
    if (is_unstable(address, length)) {
        const uint32_t from = std::max(address, unstable_from_) - unstable_from_;
        const uint32_t to = std::min<uint32_t>(address + length - unstable_from_,
                                               static_cast<uint32_t>(unstable_.size()));
        std::fill(unstable_.begin() + from, unstable_.begin() + to, uint8_t{0});
    }
    ++erases_;
    return {};
}

FlashModel::Fate FlashModel::next_fate() {
    ++operations_;
    if (operations_ == cut_at_) {
        off_ = true;
        return Fate::kCut;
    }
    return operations_ >= fail_from_ && operations_ < fail_to_ ? Fate::kFails : Fate::kWorks;
}

bool FlashModel::inside(uint32_t address, size_t length) const {
    return address <= memory_.size() && length <= memory_.size() - address;
}

bool FlashModel::is_protected(uint32_t address, size_t length) const {
    return address < protect_to_ && address + length > protect_from_;
}

Status FlashModel::misuse(Code code, Detail detail) {
    ++misuses_;
    return fault(code, detail);
}

bool FlashModel::is_unstable(uint32_t address, size_t length) const {
    return address < unstable_from_ + unstable_.size() && address + length > unstable_from_;
}

void FlashModel::blur(uint32_t address, MutableBytes bytes) {
    if (!is_unstable(address, bytes.size())) return;
    for (size_t i = 0; i < bytes.size(); ++i) {
        const uint64_t at = uint64_t{address} + i - unstable_from_;  // huge when before it
        if (at >= unstable_.size()) continue;
        bytes[i] = static_cast<uint8_t>(bytes[i] ^ (unstable_[static_cast<size_t>(at)] & random()));
    }
}

void FlashModel::tear_program(uint32_t address, MutableBytes target, Bytes bytes) {
    switch (cut_kind_) {
        case CutKind::kClean:
            return;
        case CutKind::kTornBytes:
        case CutKind::kHalfErased:
            std::copy_n(bytes.begin(), random() % bytes.size(), target.begin());
            return;
        case CutKind::kTornBits:
            for (size_t i = 0; i < bytes.size(); ++i) {
                target[i] = static_cast<uint8_t>(target[i] & (bytes[i] | random()));
            }
            return;
        case CutKind::kUnstable:
            unstable_from_ = address;
            unstable_.resize(bytes.size());
            for (size_t i = 0; i < bytes.size(); ++i) {
                unstable_[i] = static_cast<uint8_t>(target[i] & ~bytes[i]);
                target[i] = static_cast<uint8_t>(target[i] & bytes[i]);
            }
            return;
    }
}

void FlashModel::tear_erase(uint32_t address, MutableBytes target) {
    switch (cut_kind_) {
        case CutKind::kClean:
            return;
        case CutKind::kTornBytes:
            std::fill_n(target.begin(), random() % target.size(), uint8_t{0xFF});
            return;
        case CutKind::kTornBits:
            for (uint8_t& byte : target) byte = static_cast<uint8_t>(byte | random());
            return;
        case CutKind::kHalfErased:
            for (uint8_t& byte : target) byte = static_cast<uint8_t>(byte | 0x55);
            return;
        case CutKind::kUnstable:
            unstable_from_ = address;
            unstable_.resize(target.size());
            for (size_t i = 0; i < target.size(); ++i) {
                unstable_[i] = static_cast<uint8_t>(~target[i]);
            }
            return;
    }
}

// Numerical Recipes' LCG; the high bits are good enough for choosing what tears.
uint32_t FlashModel::random() {
    random_state_ = random_state_ * 1664525U + 1013904223U;
    return random_state_ >> 8;
}

}  // namespace ota
