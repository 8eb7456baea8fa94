#pragma once

#include "ports/flash.hpp"
#include "ports/image.hpp"

namespace ota {

// What a region of flash holds, to be read.
class FlashImage final : public ImageReader {
  public:
    explicit FlashImage(Flash& flash) : flash_(flash) {}
    uint64_t size() const override { return flash_.geometry().size; }
    Status read_at(uint64_t offset, MutableBytes out) override;
    // SHA-256 of the first size bytes, in one go: for small ones.
    Status digest(uint32_t size, Digest& out);

  private:
    Flash& flash_;
};

}  // namespace ota
