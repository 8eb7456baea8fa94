#include "verify/manifest_signature.hpp"

#include "verify/signature.hpp"

namespace ota {
namespace {

// ES256 does not say the curve; there are only P-256 keys here, so P-384 can't slip in.
KeyKind kind_of(CoseAlgorithm algorithm) {
    return algorithm == CoseAlgorithm::kPs256 ? KeyKind::kRsa3072 : KeyKind::kEcdsaP256;
}

}  // namespace

Status verify_manifest_signature(const AuthWrapper& wrapper, const TrustStore& trusted,
                                 size_t wanted) {
    if (trusted.keys().empty()) return {Code::kUntrusted, Origin::kVerify, Detail::kNoTrustedKey};
    size_t holding = 0;  // keys, so that one key that signed twice counts once
    for (const TrustedKey& key : trusted.keys()) {
        bool holds = false;
        for (const CoseSign1& block : wrapper.signatures) {
            if (kind_of(block.algorithm) != key.kind) continue;
            Digest digest;
            OTA_TRY(hash_to_be_signed(block, wrapper.digest_item, digest));
            holds = holds || signature_holds(key, digest, block.signature);
        }
        if (holds) ++holding;
    }
    const bool enough = holding >= std::max<size_t>(wanted, 1);
    return enough ? kOkStatus
                  : Status{Code::kUntrusted, Origin::kVerify, Detail::kManifestSignature};
}

}  // namespace ota
