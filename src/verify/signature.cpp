#include "verify/signature.hpp"

#include <psa/crypto.h>

namespace ota {
namespace {

// Success is a value that a glitched zero or one does not have.
enum class Proof : uint32_t { kNone = 0x5A5AA5A5, kHolds = 0x3CC369AA };

psa_algorithm_t algorithm_of(KeyKind kind, RsaPadding padding) {
    if (kind == KeyKind::kEcdsaP256) return PSA_ALG_ECDSA(PSA_ALG_SHA_256);
    return padding == RsaPadding::kPss ? PSA_ALG_RSA_PSS(PSA_ALG_SHA_256)
                                       : PSA_ALG_RSA_PKCS1V15_SIGN(PSA_ALG_SHA_256);
}

Proof prove(const TrustedKey& key, const Digest& digest, Bytes signature, RsaPadding padding) {
    const psa_algorithm_t algorithm = algorithm_of(key.kind, padding);
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_VERIFY_HASH);
    psa_set_key_algorithm(&attributes, algorithm);
    psa_set_key_type(&attributes, key.kind == KeyKind::kRsa3072
                                      ? PSA_KEY_TYPE_RSA_PUBLIC_KEY
                                      : PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1));
    psa_key_id_t id = 0;
    if (psa_import_key(&attributes, key.bytes().data(), key.bytes().size(), &id) != PSA_SUCCESS) {
        return Proof::kNone;
    }
    const psa_status_t verdict = psa_verify_hash(id, algorithm, digest.data(), digest.size(),
                                                 signature.data(), signature.size());
    (void)psa_destroy_key(id);
    return verdict == PSA_SUCCESS ? Proof::kHolds : Proof::kNone;
}

}  // namespace

bool signature_holds(const TrustedKey& key, const Digest& digest, Bytes signature,
                     RsaPadding padding) {
    const volatile Proof proof = prove(key, digest, signature, padding);
    return proof == Proof::kHolds && proof != Proof::kNone;
}

}  // namespace ota
