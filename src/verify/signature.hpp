#pragma once

#include "verify/trust_store.hpp"

namespace ota {

// Of signatures by an RSA key (RFC 8017): RSASSA-PSS with a salt of 32 bytes, as espsecure makes
// them, or RSASSA-PKCS1-v1_5.
enum class RsaPadding : uint8_t { kPss, kPkcs1 };

// Does signature over digest, a SHA-256, hold for key? ECDSA on P-256: r || s. False also when the
// crypto library fails.
bool signature_holds(const TrustedKey& key, const Digest& digest, Bytes signature,
                     RsaPadding padding = RsaPadding::kPss);

}  // namespace ota
