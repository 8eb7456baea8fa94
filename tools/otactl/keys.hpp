#pragma once

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pk.h>

#include "hsm_key.hpp"

namespace otactl {

// A seeded random generator, as mbedTLS wants it.
class Random {
  public:
    Random();
    ~Random();
    Random(const Random&) = delete;
    Random& operator=(const Random&) = delete;
    mbedtls_ctr_drbg_context* context() { return &drbg_; }

  private:
    mbedtls_entropy_context entropy_;
    mbedtls_ctr_drbg_context drbg_;
};

// For messages: of a URI what comes before its query, in which a PIN may stand.
std::string name_of_key(const std::string& path);

// A private key, RSA-3072 or ECDSA P-256: in a file, or in a token that keeps it.
class PrivateKey {
  public:
    // A file in PEM, or a PKCS #11 URI; Failure for other kinds and for encrypted files.
    static PrivateKey load(const std::string& path);
    static PrivateKey generate(const std::string& type);
    ~PrivateKey();
    PrivateKey(PrivateKey&& other) noexcept;
    PrivateKey& operator=(PrivateKey&&) = delete;

    bool is_rsa() const;
    std::string private_pem() const;
    std::string public_pem() const;
    // RSASSA-PSS with SHA-256 and a salt of 32 bytes, 384 bytes; or ECDSA, r || s, 64 bytes, with
    // the nonce of RFC 6979, so that the same input gives the same signature (a token has its own).
    Buffer sign(const ota::Digest& digest);

  private:
    PrivateKey();
    void check_kind(const std::string& subject) const;
    mbedtls_pk_context key_;
    std::shared_ptr<HsmKey> hsm_;  // instead of it
};

}  // namespace otactl
