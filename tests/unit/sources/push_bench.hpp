// A device to which peers push packages.
#pragma once

#include <psa/crypto.h>

#include "engine/components_bench.hpp"
#include "sources/push_source.hpp"

namespace ota {

inline Buffer package_of(std::string_view version, uint32_t size = 32 * 1024) {
    return test::make_signed_of_size(version, size, 3);
}

// A key that proofs at the door are made with, and the device's side of it.
inline uint32_t import_hmac_key() {
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, PSA_KEY_TYPE_HMAC);
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_MESSAGE);
    psa_set_key_algorithm(&attributes, PSA_ALG_HMAC(PSA_ALG_SHA_256));
    const Buffer secret(32, 0x5A);
    uint32_t id = 0;
    EXPECT_EQ(psa_import_key(&attributes, secret.data(), secret.size(), &id), PSA_SUCCESS);
    return id;
}

inline Buffer hmac_of(uint32_t key, const Buffer& message) {
    Buffer mac(32);
    size_t length = 0;
    EXPECT_EQ(psa_mac_compute(key, PSA_ALG_HMAC(PSA_ALG_SHA_256), message.data(), message.size(),
                              mac.data(), mac.size(), &length),
              PSA_SUCCESS);
    return mac;
}

}  // namespace ota
