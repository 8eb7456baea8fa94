#pragma once

#include "base/bytes.hpp"
#include "base/fixed.hpp"

namespace ota {

enum class KeyKind : uint8_t { kRsa3072, kEcdsaP256 };

// A public key as PSA imports it: RSAPublicKey (RFC 8017 A.1.1) or 0x04 || X || Y (SEC 1 2.3.3).
struct TrustedKey {
    static constexpr size_t kRsaSize = 398;
    static constexpr size_t kEcSize = 65;

    KeyKind kind = KeyKind::kEcdsaP256;
    std::array<uint8_t, kRsaSize> storage{};
    Digest id{};  // SHA-256 of the SubjectPublicKeyInfo in DER

    Bytes bytes() const {
        return Bytes(storage).first(kind == KeyKind::kRsa3072 ? kRsaSize : kEcSize);
    }
    // Big-endian modulus (384 bytes) or X || Y (64 bytes).
    Bytes material() const;
};

// The only "-----BEGIN PUBLIC KEY-----" block of pem, as TrustStore takes them; kNoSpace for more.
Status load_public_key(std::string_view pem, TrustedKey& out);

// The keys whose signatures this device accepts. Filled once, from configuration.
class TrustStore {
  public:
    static constexpr size_t kMaxKeys = 4;

    // Adds each "-----BEGIN PUBLIC KEY-----" block (RFC 7468, SubjectPublicKeyInfo) of pem:
    // RSA-3072 with exponent 65537 or ECDSA P-256. Text around the blocks is ignored. Nothing is
    // added if any block is bad: kPemMalformed, kKeyKind for another algorithm, kNoSpace for too
    // many.
    Status load_pem(std::string_view pem);

    // Takes the key out, if it is in.
    void revoke(const Digest& id);

    const FixedVector<TrustedKey, kMaxKeys>& keys() const { return keys_; }

  private:
    Status add(const TrustedKey& key);

    FixedVector<TrustedKey, kMaxKeys> keys_;
};

}  // namespace ota
