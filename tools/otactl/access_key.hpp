#pragma once

#include "files.hpp"

namespace otactl {

// How to pass a device's door: one of both, or none.
struct AccessKey {
    std::string hmac_file;  // 64 hexadecimal digits
    std::string key;        // ECDSA P-256 private key, PEM or PKCS #11
    bool empty() const { return hmac_file.empty() && key.empty(); }
};

// Of message: HMAC-SHA-256, cut to size where it is not 0, or r || s.
Buffer make_proof(const AccessKey& access, const Buffer& message, size_t size = 0);
// Of the message that the device signs its challenge into.
Buffer make_proof(const AccessKey& access, const std::string& serial, const Buffer& challenge);

}  // namespace otactl
