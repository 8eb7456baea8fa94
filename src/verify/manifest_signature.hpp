#pragma once

#include "verify/trust_store.hpp"
#include "wire/suit_auth.hpp"

namespace ota {

// Holds when at least wanted of the trusted keys made a signature each over the wrapper's digest.
// kUntrusted / kNoTrustedKey, kManifestSignature. The key id of a block is not looked at: it is not
// signed, and there are four keys at most.
Status verify_manifest_signature(const AuthWrapper& wrapper, const TrustStore& trusted,
                                 size_t wanted);

}  // namespace ota
