#pragma once

#include "ports/boot_control.hpp"
#include "ports/image.hpp"

namespace ota {

// Proof that the image in a slot was read back from flash, is complete, trusted and admitted.
// Only Verifier can make one, and nothing is activated without one.
class VerifiedSet {
  public:
    SlotId slot() const { return slot_; }
    const ImageIdentity& image() const { return image_; }
    const Digest& digest() const { return digest_; }
    uint64_t size() const { return size_; }

  private:
    friend class Verifier;
    VerifiedSet(SlotId slot, const ImageIdentity& image, const Digest& digest, uint64_t size)
        : slot_(slot), image_(image), digest_(digest), size_(size) {}

    SlotId slot_;
    ImageIdentity image_;
    Digest digest_;  // SHA-256 of the image in flash up to the signature sector
    uint64_t size_;  // bytes of the whole file
};

}  // namespace ota
