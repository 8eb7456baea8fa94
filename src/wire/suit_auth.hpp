// The authentication wrapper of a SUIT envelope (draft-ietf-suit-manifest, approved, RFC number
// pending, section 8.3) and the COSE_Sign1 blocks in it (RFC 9052 4.2).
#pragma once

#include "base/fixed.hpp"
#include "wire/cbor.hpp"

namespace ota {

// COSE algorithm identifiers (IANA registry "COSE Algorithms").
enum class CoseAlgorithm : int16_t {
    kEs256 = -7,   // ECDSA with SHA-256; here on P-256 only
    kEsp256 = -9,  // ECDSA on P-256 with SHA-256 (RFC 9864)
    kPs256 = -37,  // RSASSA-PSS with SHA-256 (RFC 8230)
};
inline constexpr int64_t kCoseSha256 = -16;  // RFC 9054

struct CoseSign1 {
    CoseAlgorithm algorithm = CoseAlgorithm::kEsp256;
    Bytes protected_header;  // encoded map, as it was signed
    Bytes kid;               // not authenticated: it may order the trial of keys, nothing else
    Bytes signature;         // r || s, or RSA's
};

inline constexpr size_t kMaxSignatures = 3;

struct AuthWrapper {
    Bytes digest_item;  // the encoded SUIT_Digest, which is what was signed
    Bytes digest;       // SHA-256 of the manifest with its byte string head
    FixedVector<CoseSign1, kMaxSignatures> signatures;
};

// kMalformed / kCbor…, kCoseForm; kUntrusted / kAuthMissing for a wrapper without a signature;
// kIncompatible / kCoseAlgorithm.
Status parse_auth_wrapper(Bytes wrapper, AuthWrapper& out);

// [-16, h'32 bytes']: the bytes of its digest.
Result<Bytes> parse_suit_digest(Bytes item);

// What the signature of a block is made over (Sig_structure, RFC 9052 4.4), hashed.
Status hash_to_be_signed(const CoseSign1& block, Bytes payload, Digest& out);

}  // namespace ota
