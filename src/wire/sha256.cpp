#include "wire/sha256.hpp"

namespace ota {
namespace {

Status from_psa(psa_status_t status) {
    if (status == PSA_SUCCESS) return {};
    return {Code::kInternal, Origin::kVerify, Detail::kCryptoFailed};
}

}  // namespace

Status sha256(Bytes bytes, Digest& out) {
    size_t length = 0;
    return from_psa(psa_hash_compute(PSA_ALG_SHA_256, bytes.data(), bytes.size(), out.data(),
                                     out.size(), &length));
}

Status RunningHash::start() {
    reset();
    return from_psa(psa_hash_setup(&operation_, algorithm_));
}

Status RunningHash::update(Bytes bytes) {
    return from_psa(psa_hash_update(&operation_, bytes.data(), bytes.size()));
}

Status RunningHash::value(MutableBytes out) const {
    psa_hash_operation_t copy = PSA_HASH_OPERATION_INIT;
    OTA_TRY(from_psa(psa_hash_clone(&operation_, &copy)));
    size_t length = 0;
    const psa_status_t status = psa_hash_finish(&copy, out.data(), out.size(), &length);
    (void)psa_hash_abort(&copy);
    return from_psa(status);
}

}  // namespace ota
