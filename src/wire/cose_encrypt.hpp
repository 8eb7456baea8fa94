// How a payload is encrypted: COSE_Encrypt (RFC 9052 5.1) in the profile of
// draft-ietf-suit-firmware-encryption: AES-CTR (RFC 9459), whose key travels wrapped.
#pragma once

#include "base/fixed.hpp"
#include "wire/cbor.hpp"

namespace ota {

// One way to come by the content key.
struct CoseRecipient {
    enum class Kind : uint8_t {
        kAesKw,   // A128KW by a key that the device shares with the sender (RFC 9053 6.2.1)
        kEcdhEs,  // ECDH-ES + A128KW, P-256 (RFC 9053 6.4.1)
    };
    Kind kind = Kind::kAesKw;
    Bytes protected_header;  // encoded map
    Bytes x;                 // of the ephemeral public key, with kEcdhEs
    Bytes y;
    Bytes wrapped_key;
};
inline constexpr size_t kMaxRecipients = 4;

struct CoseEncrypt {
    size_t key_size = 16;  // of the content key: 16 (A128CTR) or 32 (A256CTR)
    Bytes iv;              // 16 bytes, the first counter block
    FixedVector<CoseRecipient, kMaxRecipients> recipients;  // of the kinds above
};

// kMalformed / kEncryptionForm; kIncompatible / kEncryptionForm for other algorithms. Recipients of
// other kinds and forms are passed by.
Status parse_cose_encrypt(Bytes encoded, CoseEncrypt& out);

}  // namespace ota
