#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "files.hpp"

namespace otactl {

// A private key that never leaves its token: PKCS #11 v2.40, named by a URI of RFC 7512, as in
//   pkcs11:token=release;object=firmware?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/run/pin
// Without module-path every module that p11-kit knows is asked. RSA-3072 or ECDSA P-256.
class HsmKey {
  public:
    static bool is_uri(const std::string& text) { return text.starts_with("pkcs11:"); }
    // Failure with what to do when module, token, PIN or key are not right.
    static std::shared_ptr<HsmKey> open(const std::string& uri);

    virtual ~HsmKey() = default;
    virtual bool is_rsa() const = 0;
    // SubjectPublicKeyInfo in PEM.
    virtual std::string public_pem() const = 0;
    // As PrivateKey::sign, but the token chooses the nonce: each ECDSA signature is another one.
    virtual Buffer sign(const ota::Digest& digest) = 0;
};

}  // namespace otactl
