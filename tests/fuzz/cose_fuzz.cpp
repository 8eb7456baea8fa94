// Any bytes as COSE: the wrapper with its signatures, a digest, and how a payload is encrypted, up
// to the key that does not open it.
#include <cstdlib>

#include "support/encryption.hpp"
#include "wire/suit_auth.hpp"

namespace {

volatile uint8_t sum = 0;

// So that the sanitizer sees a view that leaves its buffer.
void touch(ota::Bytes bytes) {
    for (const uint8_t byte : bytes) sum = static_cast<uint8_t>(sum + byte);
}

void read_wrapper(ota::Bytes bytes) {
    ota::AuthWrapper auth;
    if (!ota::parse_auth_wrapper(bytes, auth).ok()) return;
    if (auth.digest.size() != ota::kSha256Size) std::abort();
    ota::Digest digest;
    for (const ota::CoseSign1& block : auth.signatures) {
        touch(block.kid);
        touch(block.signature);
        (void)ota::hash_to_be_signed(block, auth.digest_item, digest);
    }
}

void read_encryption(ota::Bytes bytes) {
    ota::CoseEncrypt info;
    const bool parsed = ota::parse_cose_encrypt(bytes, info).ok();
    ota::PayloadCipher cipher;
    const ota::PayloadKeys shared{test::device_keys().kek, 0};
    const bool opened = cipher.open(bytes, shared, 4096).ok();
    if (opened && !parsed) std::abort();
    if (!parsed) return;
    if (info.iv.size() != 16 || info.recipients.empty()) std::abort();
    for (const ota::CoseRecipient& recipient : info.recipients) {
        if (recipient.wrapped_key.size() != info.key_size + 8) std::abort();
        touch(recipient.x);
        touch(recipient.y);
        touch(recipient.protected_header);
    }
    test::Buffer payload(50);
    if (opened && !cipher.apply(payload).ok()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    return psa_crypto_init() == PSA_SUCCESS ? 0 : 1;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const ota::Bytes bytes(data, size);
    read_wrapper(bytes);
    read_encryption(bytes);
    (void)ota::parse_suit_digest(bytes).status();
    return 0;
}
