// Flash over one partition (esp_partition.h).
#pragma once

#include <esp_partition.h>

#include "ports/flash.hpp"

namespace ota {

// Engine context. Each erase is followed by a pause of one tick, so that the idle tasks are fed and
// other tasks of the core get their turn: a sector takes 45 ms (GD25Q128E), a block 250 ms. While
// flash is erased nothing runs that is not in RAM, on both cores, unless the code runs from PSRAM
// (CONFIG_SPIRAM_XIP_FROM_PSRAM); then the platform may say ErasePolicy::kBlockAhead.
class PartitionFlash final : public Flash {
  public:
    PartitionFlash() = default;
    // The running image's partition is refused by its address, whatever it is opened as.
    explicit PartitionFlash(const esp_partition_t& partition);

    FlashGeometry geometry() const override;
    Status read(uint32_t address, MutableBytes out) override;
    Result<bool> is_erased(uint32_t address, uint32_t length) override;
    // With flash encryption address and length have to be multiples of 16.
    Status program(uint32_t address, Bytes bytes) override;
    Status erase(uint32_t address, uint32_t length) override;

  private:
    Status check(uint32_t address, size_t length) const;

    const esp_partition_t* partition_ = nullptr;
    bool is_running_ = false;
};

}  // namespace ota
