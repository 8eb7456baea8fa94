#include "encrypt.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <array>
#include <memory>

namespace otactl {
namespace {

// RFC 9052, RFC 9053, RFC 9459
constexpr uint64_t kTagEncrypt = 96;
constexpr int64_t kHeaderAlgorithm = 1;
constexpr int64_t kHeaderIv = 5;
constexpr int64_t kEphemeralKey = -1;
constexpr int64_t kA128Ctr = -65534;
constexpr int64_t kA128Kw = -3;
constexpr int64_t kEcdhEsA128Kw = -29;
constexpr size_t kKeySize = 16;
constexpr size_t kMaxRecipients = 4;

void require_openssl(bool well, const char* what) {
    if (!well) throw Failure(Exit::kMalformed, std::string(what) + " (OpenSSL)");
}

struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
    void operator()(EVP_KDF* kdf) const { EVP_KDF_free(kdf); }
    void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
    void operator()(BIO* bio) const { BIO_free(bio); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

Buffer random_bytes(size_t size) {
    Buffer out(size);
    require_openssl(RAND_bytes(out.data(), static_cast<int>(size)) == 1, "no entropy");
    return out;
}

// Of a cipher without padding.
Buffer run_cipher(const EVP_CIPHER* cipher, const Buffer& key, const uint8_t* iv,
                  const Buffer& in) {
    const Owned<EVP_CIPHER_CTX> context(EVP_CIPHER_CTX_new());
    EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    Buffer out(in.size() + 32);
    int length = 0;
    int rest = 0;
    const bool well = EVP_EncryptInit_ex(context.get(), cipher, nullptr, key.data(), iv) == 1 &&
                      EVP_EncryptUpdate(context.get(), out.data(), &length, in.data(),
                                        static_cast<int>(in.size())) == 1 &&
                      EVP_EncryptFinal_ex(context.get(), out.data() + length, &rest) == 1;
    require_openssl(well, "encryption failed");
    out.resize(static_cast<size_t>(length) + static_cast<size_t>(rest));
    return out;
}

Buffer wrap(const Buffer& kek, const Buffer& key) {
    return run_cipher(EVP_aes_128_wrap(), kek, nullptr, key);
}

Owned<EVP_PKEY> load_public(const std::string& pem) {
    const Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    Owned<EVP_PKEY> key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
    std::array<char, 32> group{};
    size_t length = 0;
    const bool p256 = key != nullptr && EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_EC &&
                      EVP_PKEY_get_utf8_string_param(key.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                                     group.data(), group.size(), &length) == 1 &&
                      std::string(group.data()) == "prime256v1";
    if (!p256) throw Failure(Exit::kMalformed, "a recipient is no P-256 public key in PEM");
    return key;
}

Buffer agree(EVP_PKEY* own, EVP_PKEY* peer) {
    const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new(own, nullptr));
    size_t size = 32;
    Buffer out(size);
    const bool well = EVP_PKEY_derive_init(context.get()) == 1 &&
                      EVP_PKEY_derive_set_peer(context.get(), peer) == 1 &&
                      EVP_PKEY_derive(context.get(), out.data(), &size) == 1;
    require_openssl(well, "key agreement failed");
    return out;
}

Buffer derive(Buffer secret, cbor::Item info) {
    const Owned<EVP_KDF> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
    const Owned<EVP_KDF_CTX> context(EVP_KDF_CTX_new(kdf.get()));
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret.data(), secret.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
        OSSL_PARAM_construct_end()};
    Buffer out(kKeySize);
    require_openssl(EVP_KDF_derive(context.get(), out.data(), out.size(), parameters) == 1,
                    "key derivation failed");
    return out;
}

// COSE_KDF_Context as draft-ietf-suit-firmware-encryption fills it.
cbor::Item kdf_context(const cbor::Item& protected_header) {
    const std::string purpose = "SUIT Payload Encryption";
    const cbor::Item nobody = cbor::array({cbor::null(), cbor::null(), cbor::null()});
    return cbor::array({cbor::number(kA128Kw), nobody, nobody,
                        cbor::array({cbor::number(8 * kKeySize), cbor::bytes(protected_header),
                                     cbor::bytes({purpose.begin(), purpose.end()})})});
}

cbor::Item shared_recipient(const Buffer& kek, const Buffer& key) {
    if (kek.size() != kKeySize) {
        throw Failure(Exit::kMalformed, "a shared key has 16 bytes: 32 hexadecimal digits");
    }
    return cbor::array({cbor::bytes({}),
                        cbor::map({{cbor::number(kHeaderAlgorithm), cbor::number(kA128Kw)}}),
                        cbor::bytes(wrap(kek, key))});
}

cbor::Item public_recipient(const std::string& pem, const Buffer& key) {
    const Owned<EVP_PKEY> peer = load_public(pem);
    const Owned<EVP_PKEY> own(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    require_openssl(own != nullptr, "no ephemeral key");
    Buffer point(65);
    size_t size = 0;
    require_openssl(EVP_PKEY_get_octet_string_param(own.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                                    point.data(), point.size(), &size) == 1 &&
                        size == point.size(),
                    "no ephemeral key");
    const cbor::Item header =
        cbor::map({{cbor::number(kHeaderAlgorithm), cbor::number(kEcdhEsA128Kw)}});
    // COSE_Key: EC2 on P-256
    const cbor::Item cose_key =
        cbor::map({{cbor::number(1), cbor::number(2)},
                   {cbor::number(-1), cbor::number(1)},
                   {cbor::number(-2), cbor::bytes({point.begin() + 1, point.begin() + 33})},
                   {cbor::number(-3), cbor::bytes({point.begin() + 33, point.end()})}});
    const Buffer kek = derive(agree(own.get(), peer.get()), kdf_context(header));
    return cbor::array({cbor::bytes(header), cbor::map({{cbor::number(kEphemeralKey), cose_key}}),
                        cbor::bytes(wrap(kek, key))});
}

}  // namespace

EncryptedPayload encrypt_payload(const Buffer& plain, const Recipients& recipients) {
    if (recipients.public_pems.size() + recipients.keks.size() > kMaxRecipients) {
        throw Failure(Exit::kUsage, "four recipients at most");
    }
    const Buffer key = random_bytes(kKeySize);
    const Buffer iv = random_bytes(16);
    std::vector<cbor::Item> list;
    for (const Buffer& kek : recipients.keks) list.push_back(shared_recipient(kek, key));
    for (const std::string& pem : recipients.public_pems) {
        list.push_back(public_recipient(pem, key));
    }
    EncryptedPayload out;
    out.bytes = run_cipher(EVP_aes_128_ctr(), key, iv.data(), plain);
    out.info =
        cbor::tag(kTagEncrypt,
                  cbor::array({cbor::bytes({}),
                               cbor::map({{cbor::number(kHeaderAlgorithm), cbor::number(kA128Ctr)},
                                          {cbor::number(kHeaderIv), cbor::bytes(iv)}}),
                               cbor::null(), cbor::array(list)}));
    return out;
}

}  // namespace otactl
