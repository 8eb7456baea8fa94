#pragma once

#include "verify/trust_store.hpp"

namespace ota {

// Does signature over digest hold for key? RSASSA-PSS with SHA-256 and a salt of 32 bytes, or ECDSA
// on P-256, r || s. False also when the crypto library fails.
bool signature_holds(const TrustedKey& key, const Digest& digest, Bytes signature);

}  // namespace ota
