#pragma once

#include <cstdint>
#include <span>

namespace rom {

// The flash chip as boot ROM and bootloader use it. False: the chip has no power any more.
class RomFlash {
  public:
    virtual uint32_t size() const = 0;
    virtual bool read(uint32_t address, std::span<uint8_t> out) = 0;
    virtual bool erase_sector(uint32_t address) = 0;
    virtual bool program(uint32_t address, std::span<const uint8_t> bytes) = 0;

  protected:
    ~RomFlash() = default;
};

}  // namespace rom
