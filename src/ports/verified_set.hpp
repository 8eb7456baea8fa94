#pragma once

#include <optional>

#include "ports/boot_control.hpp"
#include "ports/image.hpp"

namespace ota {

// The configuration in one bank.
struct BankContent {
    uint8_t bank = 0;
    uint32_t size = 0;  // bytes
    Digest digest{};
    bool operator==(const BankContent&) const = default;
};

// Proof that the image in a slot, and the configuration that belongs to it, were read back from
// flash, are complete, trusted and admitted. Only Verifier can make one, and nothing is activated
// without one.
class VerifiedSet {
  public:
    SlotId slot() const { return slot_; }
    const ImageIdentity& image() const { return image_; }
    const Digest& digest() const { return digest_; }
    uint64_t size() const { return size_; }
    // Empty: the package brings none, and the image runs with that of its predecessor.
    const std::optional<BankContent>& config() const { return config_; }

  private:
    friend class Verifier;
    VerifiedSet(SlotId slot, const ImageIdentity& image, const Digest& digest, uint64_t size,
                const std::optional<BankContent>& config)
        : slot_(slot), image_(image), digest_(digest), size_(size), config_(config) {}

    SlotId slot_;
    ImageIdentity image_;
    Digest digest_;  // SHA-256 of the image in flash up to the signature sector
    uint64_t size_;  // bytes of the whole file
    std::optional<BankContent> config_;
};

}  // namespace ota
