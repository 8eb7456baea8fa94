#pragma once

#include "install/flash_image.hpp"
#include "install/slot_writer.hpp"
#include "ports/flash_region.hpp"

namespace ota {

// A partition without boot choice: banks of equal size, of which one is worked on. What it holds
// counts only by a record elsewhere, so nothing in here has to survive a power loss.
class DataComponent final {
  public:
    // flash null: this device has no such partition.
    DataComponent(Flash* flash, uint8_t banks, ErasePolicy policy, ReadBackSink& sink);

    // The bytes of a bank; 0 = there is none.
    uint32_t size() const { return bank_size_; }
    uint8_t banks() const { return banks_; }
    uint8_t bank() const { return bank_; }
    // Which bank image() and writer() are about. Forgets the payload in progress.
    void choose(uint8_t bank);

    ImageReader& image() { return image_; }
    ImageWriter& writer() { return writer_; }

  private:
    Flash* flash_;
    uint8_t banks_;
    uint32_t bank_size_;
    uint8_t bank_ = 0;
    FlashRegion region_;
    FlashImage image_{region_};
    SlotWriter writer_;
};

}  // namespace ota
