// Any bytes as partition table and otadata: the twin's parser, boot control and the boot ROM.
#include <psa/crypto.h>

#include <cstdlib>
#include <vector>

#include "boot/otadata.hpp"
#include "bootloader.hpp"
#include "linux/flash_model.hpp"
#include "linux/partition_table.hpp"

namespace {

class RomFlash final : public rom::RomFlash {
  public:
    explicit RomFlash(std::vector<uint8_t>& memory) : memory_(memory) {}
    uint32_t size() const override { return static_cast<uint32_t>(memory_.size()); }
    bool read(uint32_t address, std::span<uint8_t> out) override {
        if (address > memory_.size() || out.size() > memory_.size() - address) return false;
        std::copy_n(memory_.begin() + address, out.size(), out.begin());
        return true;
    }
    bool erase_sector(uint32_t address) override {
        if (address + 4096 > memory_.size()) return false;
        std::fill_n(memory_.begin() + address, 4096, uint8_t{0xFF});
        return true;
    }
    bool program(uint32_t address, std::span<const uint8_t> bytes) override {
        if (address + bytes.size() > memory_.size()) return false;
        std::copy(bytes.begin(), bytes.end(), memory_.begin() + address);
        return true;
    }

  private:
    std::vector<uint8_t>& memory_;
};

class NoImage final : public ota::SlotInspector {
  public:
    bool is_bootable(ota::SlotId) override { return false; }
};

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    return psa_crypto_init() == PSA_SUCCESS ? 0 : 1;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::vector<uint8_t> memory(0x20000, 0xFF);
    std::copy_n(data, std::min<size_t>(size, 0x6000), memory.begin() + 0x8000);
    ota::PartitionTable table;
    (void)table.parse(ota::Bytes(memory).subspan(0x8000, 0xC00), 0x20000);

    ota::FlashModel flash(ota::MutableBytes(memory).subspan(0x9000, 0x2000));
    NoImage inspector;
    ota::OtadataBootControl boot(flash, inspector, {0, 2, false, ota::ResetReason::kPowerOn});
    ota::BootStatus status;
    if (!boot.settle(true).ok() || !boot.status(status).ok() || status.boot != 0) std::abort();

    RomFlash rom_flash(memory);
    (void)rom::boot(rom_flash);
    return 0;
}
