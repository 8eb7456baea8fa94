#include "verify/access_check.hpp"

#include <psa/crypto.h>

#include "verify/signature.hpp"
#include "wire/sha256.hpp"

namespace ota {
namespace {

constexpr size_t kSignature = 64;
constexpr size_t kShortMac = 16;

bool hmac_holds(uint32_t key, Bytes message, Bytes proof) {
    Digest mac;
    size_t length = 0;
    if (psa_mac_compute(key, PSA_ALG_HMAC(PSA_ALG_SHA_256), message.data(), message.size(),
                        mac.data(), mac.size(), &length) != PSA_SUCCESS) {
        return false;
    }
    return equal_constant_time(Bytes(mac).first(proof.size()), proof);
}

}  // namespace

void AccessCheck::serve(AccessDoor& door) const {
    if (!has_key()) return;
    if (door.wants_challenge()) {
        AccessDoor::Challenge fresh;
        if (psa_generate_random(fresh.data(), fresh.size()) == PSA_SUCCESS) {
            door.give_challenge(fresh);
        }
    }
    if (const AccessProof* asked = door.asked()) door.answer(holds(*asked));
}

bool AccessCheck::holds(const AccessProof& asked) const {
    const Bytes message{asked.message.begin(), asked.message.size()};
    const Bytes proof{asked.proof.begin(), asked.proof.size()};
    const bool is_mac = proof.size() == kSha256Size || proof.size() == kShortMac;
    if (is_mac) return hmac_key_ != 0 && hmac_holds(hmac_key_, message, proof);
    Digest digest;
    if (proof.size() != kSignature || !sha256(message, digest).ok()) return false;
    for (const TrustedKey& key : keys_.keys()) {
        if (key.kind == KeyKind::kEcdsaP256 && signature_holds(key, digest, proof)) return true;
    }
    return false;
}

}  // namespace ota
