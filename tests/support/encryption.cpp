#include "support/encryption.hpp"

#include <mbedtls/aes.h>
#include <mbedtls/hkdf.h>
#include <mbedtls/md.h>

namespace test {
namespace {

using cbor::array;
using cbor::bytes;
using cbor::map;
using cbor::number;

Buffer counted(size_t size, uint8_t first) {
    Buffer out(size);
    for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(first + i);
    return out;
}

// Any number below the order of the curve is a key.
psa_key_id_t import_p256(const Buffer& secret, psa_algorithm_t algorithm) {
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&attributes, 256);
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_DERIVE);
    psa_set_key_algorithm(&attributes, algorithm);
    psa_key_id_t id = 0;
    if (psa_import_key(&attributes, secret.data(), secret.size(), &id) != PSA_SUCCESS) abort();
    return id;
}

psa_key_id_t import_kek(const Buffer& kek) {
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, PSA_KEY_TYPE_AES);
    psa_set_key_bits(&attributes, 128);
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_DECRYPT);
    psa_set_key_algorithm(&attributes, PSA_ALG_ECB_NO_PADDING);
    psa_key_id_t id = 0;
    if (psa_import_key(&attributes, kek.data(), kek.size(), &id) != PSA_SUCCESS) abort();
    return id;
}

constexpr uint8_t kDevice = 0x20;
constexpr uint8_t kStranger = 0x60;
constexpr uint8_t kEphemeral = 0x40;

ota::PayloadKeys import_keys(uint8_t first) {
    return {import_kek(counted(16, first)),
            import_p256(counted(32, first),
                        PSA_ALG_KEY_AGREEMENT(PSA_ALG_ECDH, PSA_ALG_HKDF(PSA_ALG_SHA_256)))};
}

Buffer public_point(const Buffer& secret) {
    const psa_key_id_t id = import_p256(secret, PSA_ALG_ECDH);
    Buffer out(65);
    size_t length = 0;
    if (psa_export_public_key(id, out.data(), out.size(), &length) != PSA_SUCCESS) abort();
    (void)psa_destroy_key(id);
    return out;
}

// Of the key agreement: what both sides wrap the content key with.
Buffer agreed_kek(const Buffer& protected_header) {
    const psa_key_id_t own = import_p256(counted(32, kEphemeral), PSA_ALG_ECDH);
    const Buffer peer = public_point(counted(32, kDevice));
    Buffer secret(32);
    size_t length = 0;
    if (psa_raw_key_agreement(PSA_ALG_ECDH, own, peer.data(), peer.size(), secret.data(),
                              secret.size(), &length) != PSA_SUCCESS) {
        abort();
    }
    (void)psa_destroy_key(own);
    const Buffer nobody = array({{0xF6}, {0xF6}, {0xF6}});
    const std::string purpose = "SUIT Payload Encryption";
    const Buffer info = array({number(-3), nobody, nobody,
                               array({number(128), bytes(protected_header),
                                      bytes(Buffer(purpose.begin(), purpose.end()))})});
    Buffer out(16);
    if (mbedtls_hkdf(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), nullptr, 0, secret.data(),
                     secret.size(), info.data(), info.size(), out.data(), out.size()) != 0) {
        abort();
    }
    return out;
}

Buffer recipient_of(Sender sender, const Buffer& content_key) {
    if (sender == Sender::kAesKw) {
        return array({bytes({}), map({{number(1), number(-3)}}),
                      bytes(wrap_key(counted(16, kDevice), content_key))});
    }
    const Buffer header = map({{number(1), number(-29)}});
    const Buffer point = public_point(counted(32, kEphemeral));
    const Buffer key = map({{number(1), number(2)},
                            {number(-1), number(1)},
                            {number(-2), bytes(Buffer(point.begin() + 1, point.begin() + 33))},
                            {number(-3), bytes(Buffer(point.begin() + 33, point.end()))}});
    return array({bytes(header), map({{number(-1), key}}),
                  bytes(wrap_key(agreed_kek(header), content_key))});
}

}  // namespace

Buffer wrap_key(const Buffer& kek, const Buffer& key) {
    mbedtls_aes_context aes;
    mbedtls_aes_init(&aes);
    (void)mbedtls_aes_setkey_enc(&aes, kek.data(), static_cast<unsigned>(kek.size() * 8));
    const size_t count = key.size() / 8;
    Buffer check(8, 0xA6);
    Buffer parts = key;
    for (size_t round = 0; round < 6; ++round) {
        for (size_t i = 0; i < count; ++i) {
            Buffer block = check;
            block.insert(block.end(), parts.begin() + static_cast<long>(8 * i),
                         parts.begin() + static_cast<long>(8 * i + 8));
            Buffer out(16);
            (void)mbedtls_aes_crypt_ecb(&aes, MBEDTLS_AES_ENCRYPT, block.data(), out.data());
            check.assign(out.begin(), out.begin() + 8);
            check[7] = static_cast<uint8_t>(check[7] ^ (count * round + i + 1));
            std::copy(out.begin() + 8, out.end(), parts.begin() + static_cast<long>(8 * i));
        }
    }
    mbedtls_aes_free(&aes);
    check.insert(check.end(), parts.begin(), parts.end());
    return check;
}

Encrypted encrypt(const Buffer& plain, Sender sender, size_t key_size, uint8_t seed) {
    const Buffer key = counted(key_size, seed);
    Buffer counter(16, 0xFF);  // the first carry comes soon
    counter[0] = seed;
    const Buffer iv = counter;
    Encrypted out;
    out.payload.resize(plain.size());
    mbedtls_aes_context aes;
    mbedtls_aes_init(&aes);
    (void)mbedtls_aes_setkey_enc(&aes, key.data(), static_cast<unsigned>(key_size * 8));
    size_t used = 0;
    Buffer stream(16);
    (void)mbedtls_aes_crypt_ctr(&aes, plain.size(), &used, counter.data(), stream.data(),
                                plain.data(), out.payload.data());
    mbedtls_aes_free(&aes);
    const int64_t algorithm = key_size == 16 ? -65534 : -65532;
    const Buffer body = array({bytes({}),
                               map({{number(1), number(algorithm)}, {number(5), bytes(iv)}}),
                               {0xF6},
                               array({recipient_of(sender, key)})});
    out.info = cbor::head(6, 96);
    out.info.insert(out.info.end(), body.begin(), body.end());
    return out;
}

const ota::PayloadKeys& device_keys() {
    static const ota::PayloadKeys keys = import_keys(kDevice);
    return keys;
}

const ota::PayloadKeys& stranger_keys() {
    static const ota::PayloadKeys keys = import_keys(kStranger);
    return keys;
}

}  // namespace test
