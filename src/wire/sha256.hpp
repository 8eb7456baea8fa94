// SHA-256 through PSA (psa/crypto.h is the port; engine context only).
#pragma once

#include <psa/crypto.h>

#include "base/bytes.hpp"
#include "base/status.hpp"

namespace ota {

// Digest of one span.
Status sha256(Bytes bytes, Digest& out);

// A running hash whose value so far can be read without ending it. Not copyable: PSA may keep
// state outside the object.
class RunningHash {
  public:
    explicit RunningHash(psa_algorithm_t algorithm) : algorithm_(algorithm) {}
    ~RunningHash() { reset(); }
    RunningHash(const RunningHash&) = delete;
    RunningHash& operator=(const RunningHash&) = delete;

    void reset() { (void)psa_hash_abort(&operation_); }
    Status start();
    Status update(Bytes bytes);
    // Value of everything so far; out has the digest's exact size.
    Status value(MutableBytes out) const;

  private:
    psa_algorithm_t algorithm_;
    psa_hash_operation_t operation_ = PSA_HASH_OPERATION_INIT;
};

}  // namespace ota
