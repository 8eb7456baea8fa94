#pragma once

#include "ports/flash.hpp"

namespace ota {

// A partition of a larger flash, addressed from 0.
class FlashRegion final : public Flash {
  public:
    FlashRegion() = default;
    FlashRegion(Flash& flash, uint32_t offset, uint32_t size)
        : flash_(&flash), offset_(offset), size_(size) {}

    FlashGeometry geometry() const override {
        FlashGeometry geometry = flash_->geometry();
        geometry.size = size_;
        return geometry;
    }
    Status read(uint32_t address, MutableBytes out) override {
        OTA_TRY(check(address, out.size()));
        return flash_->read(offset_ + address, out);
    }
    Result<bool> is_erased(uint32_t address, uint32_t length) override {
        OTA_TRY(check(address, length));
        return flash_->is_erased(offset_ + address, length);
    }
    Status program(uint32_t address, Bytes bytes) override {
        OTA_TRY(check(address, bytes.size()));
        return flash_->program(offset_ + address, bytes);
    }
    Status erase(uint32_t address, uint32_t length) override {
        OTA_TRY(check(address, length));
        return flash_->erase(offset_ + address, length);
    }

  private:
    Status check(uint32_t address, size_t length) const {
        if (address <= size_ && length <= size_ - address) return {};
        return {Code::kOutOfRange, Origin::kPlatform, Detail::kUnaligned};
    }

    Flash* flash_ = nullptr;
    uint32_t offset_ = 0;
    uint32_t size_ = 0;
};

}  // namespace ota
