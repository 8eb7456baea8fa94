#include "install/slot_writer.hpp"

namespace ota {
namespace {

constexpr Status fault(Code code, Detail detail) {
    return {code, Origin::kInstall, detail};
}
constexpr Status kWorking{Code::kTryAgain, Origin::kInstall};

// Work of one prepare() call while it looks at flash: 64 KiB, about 5 ms at 12 MB/s.
constexpr uint32_t kSectorsPerStep = 16;

}  // namespace

Result<uint64_t> SlotWriter::prepare(const Payload& payload, bool resume) {
    switch (phase_) {
        case Phase::kIdle:
            OTA_TRY(begin(payload.size, resume));
            break;
        case Phase::kFindEnd:
            OTA_TRY(find_end());
            break;
        case Phase::kReread:
            OTA_TRY(reread_prefix());
            break;
        case Phase::kWriting:
            return fault(Code::kInternal, Detail::kNone);
    }
    if (phase_ != Phase::kWriting) return kWorking;
    return uint64_t{resume_at_};
}

Status SlotWriter::begin(uint64_t size, bool resume) {
    if (size > slot_.geometry().size) return fault(Code::kNoSpace, Detail::kSlotTooSmall);
    size_known_ = size != 0;
    size_ = size_known_ ? static_cast<uint32_t>(size) : slot_.geometry().size;
    end_ = round_up(size_, layout::kSectorSize);
    position_ = erased_to_ = filled_ = resume_at_ = 0;
    if (resume) {
        phase_ = Phase::kFindEnd;
        return {};
    }
    // Before anything records that this payload is in the slot, its first sector is blank.
    OTA_TRY(erase_up_to(layout::kSectorSize));
    phase_ = Phase::kWriting;
    return {};
}

Status SlotWriter::find_end() {
    for (uint32_t i = 0; i < kSectorsPerStep && resume_at_ < end_; ++i) {
        OTA_TRY_ASSIGN(const bool blank, slot_.is_erased(resume_at_, layout::kSectorSize));
        if (blank) break;
        resume_at_ += layout::kSectorSize;
        if (i + 1 == kSectorsPerStep) return {};
    }
    // The last written sector may be torn, so it is written again.
    resume_at_ -= std::min(resume_at_, layout::kSectorSize);
    phase_ = Phase::kReread;
    return {};
}

Status SlotWriter::reread_prefix() {
    const uint32_t stop = std::min(resume_at_, position_ + kSectorsPerStep * layout::kSectorSize);
    for (; position_ < stop; position_ += layout::kPageSize) {
        OTA_TRY(slot_.read(position_, page_));
        OTA_TRY(sink_.on_read_back(page_));
    }
    if (position_ < resume_at_) return {};
    erased_to_ = resume_at_;
    phase_ = Phase::kWriting;
    return {};
}

Status SlotWriter::write(Bytes bytes) {
    if (phase_ != Phase::kWriting) return fault(Code::kInternal, Detail::kNone);
    if (bytes.size() > size_ - position_ - filled_) {
        return size_known_ ? fault(Code::kMalformed, Detail::kImageLength)
                           : fault(Code::kNoSpace, Detail::kSlotTooSmall);
    }
    while (!bytes.empty()) {
        if (filled_ == 0 && bytes.size() >= page_.size()) {
            OTA_TRY(put_page(bytes.first(page_.size()), bytes.first(page_.size())));
            bytes = bytes.subspan(page_.size());
            continue;
        }
        const size_t n = std::min<size_t>(bytes.size(), page_.size() - filled_);
        std::memcpy(page_.data() + filled_, bytes.data(), n);
        filled_ += static_cast<uint32_t>(n);
        bytes = bytes.subspan(n);
        if (filled_ == page_.size()) OTA_TRY(flush());
    }
    return {};
}

Status SlotWriter::finish() {
    if (phase_ != Phase::kWriting || (size_known_ && position_ + filled_ != size_)) {
        return fault(Code::kInternal, Detail::kNone);
    }
    phase_ = Phase::kIdle;
    return filled_ == 0 ? kOkStatus : flush();
}

// What is buffered; the end of the payload is padded to the write unit with 0xFF.
Status SlotWriter::flush() {
    const uint32_t padded = round_up(filled_, slot_.geometry().write_unit);
    std::fill(page_.begin() + filled_, page_.end(), uint8_t{0xFF});
    const Bytes page(page_);
    OTA_TRY(put_page(page.first(padded), page.first(filled_)));
    filled_ = 0;
    return {};
}

// Programs a page, unless it is all 0xFF and there already, and checks its payload.
Status SlotWriter::put_page(Bytes page, Bytes payload) {
    OTA_TRY(erase_ahead());
    OTA_TRY_ASSIGN(const bool is_there, reads_blank(page));
    if (!is_there) OTA_TRY(slot_.program(position_, page));
    OTA_TRY(check_read_back(payload));
    position_ += static_cast<uint32_t>(payload.size());
    return {};
}

// Of a page that is all 0xFF. With flash encryption an erased one is not.
Result<bool> SlotWriter::reads_blank(Bytes page) {
    if (!is_blank(page)) return false;
    std::array<uint8_t, layout::kPageSize> back;
    const MutableBytes bytes = MutableBytes(back).first(page.size());
    OTA_TRY(slot_.read(position_, bytes));
    return is_blank(bytes);
}

// Keeps one blank sector behind the one that is about to be programmed.
Status SlotWriter::erase_ahead() {
    const uint32_t sector = round_down(position_, layout::kSectorSize);
    return erase_up_to(std::min(end_, sector + 2 * layout::kSectorSize));
}

Status SlotWriter::erase_up_to(uint32_t address) {
    while (erased_to_ < address) {
        const bool block = policy_ == ErasePolicy::kBlockAhead && is_block_worth_it();
        const uint32_t length = block ? layout::kBlockSize : layout::kSectorSize;
        OTA_TRY(slot_.erase(erased_to_, length));
        erased_to_ += length;
    }
    return {};
}

// A whole block takes as long as five and a half of its sectors (GD25Q128E: 250 and 45 ms), so one
// that is needed in part only may still be the quicker way. It stays inside the slot.
bool SlotWriter::is_block_worth_it() const {
    constexpr uint32_t kWorthIt = 6 * layout::kSectorSize;
    return erased_to_ % layout::kBlockSize == 0 && end_ - erased_to_ >= kWorthIt &&
           layout::kBlockSize <= slot_.geometry().size - erased_to_;
}

Status SlotWriter::check_read_back(Bytes payload) {
    std::array<uint8_t, layout::kPageSize> back;
    const MutableBytes bytes = MutableBytes(back).first(payload.size());
    OTA_TRY(slot_.read(position_, bytes));
    if (!std::equal(bytes.begin(), bytes.end(), payload.begin())) {
        return fault(Code::kStorage, Detail::kReadBackDiffers);
    }
    return sink_.on_read_back(bytes);
}

}  // namespace ota
