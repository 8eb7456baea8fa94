#pragma once

#include "cbor_encoder.hpp"
#include "files.hpp"

namespace otactl {

// Whom payloads are encrypted to (docs/package-format.md, "Encrypted payloads"); four at most.
struct Recipients {
    std::vector<std::string> public_pems;  // P-256 keys of devices: ECDH-ES + A128KW
    std::vector<Buffer> keks;              // shared keys of 16 bytes: A128KW
    bool empty() const { return public_pems.empty() && keks.empty(); }
};

struct EncryptedPayload {
    cbor::Item info;  // COSE_Encrypt
    Buffer bytes;
};

// A128CTR under a fresh key and counter block: no two runs give the same bytes.
EncryptedPayload encrypt_payload(const Buffer& plain, const Recipients& recipients);

}  // namespace otactl
