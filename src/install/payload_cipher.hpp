// Decryption of a payload on its way into flash. The digest in the signed manifest, of the plain
// text, is what decides; a wrong key gives bytes that it does not hold for.
#pragma once

#include <psa/crypto.h>

#include "wire/cose_encrypt.hpp"

namespace ota {

// Keys of this device in PSA; 0 = none. Opaque ones do.
struct PayloadKeys {
    psa_key_id_t kek = 0;   // AES-128, usage decrypt, PSA_ALG_ECB_NO_PADDING: for A128KW
    psa_key_id_t ecdh = 0;  // P-256 private key, usage derive,
                            // PSA_ALG_KEY_AGREEMENT(PSA_ALG_ECDH, PSA_ALG_HKDF(PSA_ALG_SHA_256))
};

// Engine context. Keys are wiped by close().
class PayloadCipher {
  public:
    PayloadCipher() = default;
    ~PayloadCipher() { close(); }
    PayloadCipher(const PayloadCipher&) = delete;
    PayloadCipher& operator=(const PayloadCipher&) = delete;

    // info: encoded COSE_Encrypt. The next bytes are those at offset, a multiple of 16.
    // kIncompatible / kEncryptionKey: no key of this device opens it; / kLeftOut: this build opens
    // none.
    Status open(Bytes info, const PayloadKeys& keys, uint64_t offset);
    bool is_open() const { return key_ != 0; }
    // In place, in order.
    Status apply(MutableBytes bytes);
    void close();

  private:
    psa_key_id_t key_ = 0;  // the content key, volatile
    psa_cipher_operation_t operation_ = PSA_CIPHER_OPERATION_INIT;
};

}  // namespace ota
