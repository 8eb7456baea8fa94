// Secure Boot v2 signature sector of ESP-IDF: RSA-3072-PSS and ECDSA P-256, one to three blocks.
#pragma once

#include "ports/image.hpp"
#include "verify/trust_store.hpp"

namespace ota {

// Reads the sector at offset of image and succeeds when one of its blocks signs digest with a key
// of the store. Otherwise, by the best block found: kSignatureMissing, kSignatureBlock (CRC, kind),
// kSignatureDigest (signs other bytes), kSignatureUntrusted (unknown key or wrong signature).
Status verify_secure_boot_signature(ImageReader& image, uint64_t offset, const Digest& digest,
                                    const TrustStore& trusted);

}  // namespace ota
