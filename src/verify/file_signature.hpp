#pragma once

#include <optional>

#include "verify/trust_store.hpp"

namespace ota {

// What a publisher signed beside a file, over the SHA-256 of all its bytes: AWS Signer's
// "SHA256withECDSA" (DER of r and s, RFC 3279 2.2.3) and "SHA256withRSA" (RSASSA-PKCS1-v1_5,
// RFC 8017 8.2), in base64. It proves the way that a file took; what an image is, is told by the
// signature inside it.
class FileSignature {
  public:
    // Whose signatures hold, the only public key of pem. Before the first attempt.
    Status set_key(std::string_view pem);
    const std::optional<TrustedKey>& key() const { return key_; }

    // For a new attempt; base64: what lies beside its file, empty: nothing. kUntrusted /
    // kCodeSignature when a key is set and this is no signature of its kind.
    Status take(std::string_view base64);
    // For a new attempt whose file comes by a way that has no such signatures.
    void take_none() { size_ = 0; }

    // Was one taken, and does it hold? Without a key, or with none taken, there is nothing to hold.
    Status check(const Digest& file) const;
    bool is_taken() const { return size_ != 0; }

  private:
    static constexpr size_t kMaxSize = 384;  // RSA-3072

    std::optional<TrustedKey> key_;
    std::array<uint8_t, kMaxSize> bytes_{};  // as PSA takes it
    size_t size_ = 0;
};

}  // namespace ota
