#pragma once

#include "ports/flash.hpp"
#include "ports/flash_layout.hpp"
#include "ports/image.hpp"

namespace ota {

// How much is erased at a time (design rule 7): one sector where other work must not wait, a whole
// block where the platform's interrupts survive it.
enum class ErasePolicy : uint8_t { kSector, kBlockAhead };

// Writes one image into a slot and reads every page back.
//
// Where an interrupted image continues is read from flash, not from a record (decision 0006): the
// sector behind the one being programmed is always erased first, so the first blank sector marks
// the end of what was written. The sector before it may be torn and is written again.
class SlotWriter final : public ImageWriter {
  public:
    SlotWriter(Flash& slot, ErasePolicy policy, ReadBackSink& sink)
        : slot_(slot), policy_(policy), sink_(sink) {}

    Result<uint64_t> prepare(const Payload& payload, bool resume) override;
    Status write(Bytes bytes) override;
    Status finish() override;
    void abort() override { phase_ = Phase::kIdle; }

  private:
    enum class Phase : uint8_t { kIdle, kFindEnd, kReread, kWriting };

    Status begin(uint64_t size, bool resume);
    Status find_end();
    Status reread_prefix();
    Status flush();
    Status put_page(Bytes page, Bytes payload);
    Status erase_ahead();
    Status erase_up_to(uint32_t address);
    bool is_block_worth_it() const;
    Status check_read_back(Bytes payload);
    Result<bool> reads_blank(Bytes page);

    Flash& slot_;
    const ErasePolicy policy_;
    ReadBackSink& sink_;
    Phase phase_ = Phase::kIdle;
    bool size_known_ = true;
    uint32_t size_ = 0;  // of the payload; of the slot while it is unknown
    uint32_t end_ = 0;   // size_ rounded up to a sector
    uint32_t resume_at_ = 0;
    uint32_t position_ = 0;   // address of the next page
    uint32_t erased_to_ = 0;  // this attempt erased everything from resume_at_ up to here
    uint32_t filled_ = 0;     // bytes in page_
    std::array<uint8_t, layout::kPageSize> page_{};
};

}  // namespace ota
