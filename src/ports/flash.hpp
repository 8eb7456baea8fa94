// A region of NOR flash: a partition or a slot, addressed from 0.
#pragma once

#include "base/bytes.hpp"
#include "base/status.hpp"

namespace ota {

struct FlashGeometry {
    uint32_t size = 0;         // bytes, a multiple of sector_size
    uint32_t sector_size = 0;  // smallest erase
    uint32_t block_size = 0;   // large erase, a multiple of sector_size
    uint32_t page_size = 0;    // largest single program operation
    uint32_t write_unit = 1;   // address and length of program are multiples of it (16 with
                               // flash encryption)
};

// Engine context only. All of them fail with kStorage when the device does, kOutOfRange outside the
// region; erase and program of the running slot are refused with kRunningSlot by the lowest layer.
class Flash {
  public:
    virtual FlashGeometry geometry() const = 0;

    virtual Status read(uint32_t address, MutableBytes out) = 0;

    // May all of it be programmed? With flash encryption erased cells do not read as 0xFF: they are
    // looked at as they are.
    virtual Result<bool> is_erased(uint32_t address, uint32_t length) = 0;

    // Only clears bits. After a power loss the bytes of the page in progress are undefined, earlier
    // pages are complete, later ones untouched.
    virtual Status program(uint32_t address, Bytes bytes) = 0;

    // Makes whole sectors programmable again; without flash encryption they read as 0xFF. After a
    // power loss the sector in progress is undefined and may read as blank without being safe to
    // program: erase it again.
    virtual Status erase(uint32_t address, uint32_t length) = 0;

  protected:
    ~Flash() = default;
};

}  // namespace ota
