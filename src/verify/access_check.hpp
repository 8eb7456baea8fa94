#pragma once

#include "ports/access_door.hpp"
#include "verify/trust_store.hpp"

namespace ota {

// Gives the door its challenges and judges the proofs.
class AccessCheck {
  public:
    // PSA key: HMAC, PSA_ALG_HMAC(PSA_ALG_SHA_256), usage sign. 0: none.
    void set_hmac_key(uint32_t key) { hmac_key_ = key; }
    // Public keys whose owners may pass; ECDSA P-256.
    TrustStore& keys() { return keys_; }
    bool has_key() const { return hmac_key_ != 0 || !keys_.keys().empty(); }

    // Engine context; cheap when nothing is asked.
    void serve(AccessDoor& door) const;

  private:
    bool holds(const AccessProof& proof) const;

    uint32_t hmac_key_ = 0;
    TrustStore keys_;
};

}  // namespace ota
