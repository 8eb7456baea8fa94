#pragma once

#include "../twin_abi.hpp"
#include "rom_flash.hpp"

namespace rom {

// The flash file, mapped, as the bootloader sees it. Counts its operations on the shared wires, so
// that a power cut can be placed in the bootloader as well as in the firmware.
class FileFlash final : public RomFlash {
  public:
    FileFlash(std::span<uint8_t> memory, twin::Wires& wires) : memory_(memory), wires_(wires) {}

    uint32_t size() const override { return static_cast<uint32_t>(memory_.size()); }
    bool read(uint32_t address, std::span<uint8_t> out) override;
    bool erase_sector(uint32_t address) override;
    bool program(uint32_t address, std::span<const uint8_t> bytes) override;

  private:
    bool operation_is_cut();

    std::span<uint8_t> memory_;
    twin::Wires& wires_;
};

}  // namespace rom
