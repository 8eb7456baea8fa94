#include "install/payload_cipher.hpp"

#include <mbedtls/platform_util.h>

#include "base/build_options.hpp"

namespace ota {
namespace {

constexpr Status kFailed{Code::kInternal, Origin::kInstall, Detail::kCryptoFailed};
constexpr Status kNoKey{Code::kIncompatible, Origin::kInstall, Detail::kEncryptionKey};
constexpr Status kLeftOut{Code::kIncompatible, Origin::kInstall, Detail::kLeftOut};
constexpr size_t kBlock = 16;
constexpr size_t kHalf = 8;
constexpr size_t kMaxWrapped = 40;

Status from_psa(psa_status_t status) {
    return status == PSA_SUCCESS ? kOkStatus : kFailed;
}

// A key that lives until it is destroyed.
Status import_aes(Bytes bytes, psa_algorithm_t algorithm, psa_key_id_t& out) {
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, PSA_KEY_TYPE_AES);
    psa_set_key_bits(&attributes, bytes.size() * 8);
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_DECRYPT);
    psa_set_key_algorithm(&attributes, algorithm);
    return from_psa(psa_import_key(&attributes, bytes.data(), bytes.size(), &out));
}

Status decrypt_block(psa_key_id_t key, Bytes in, MutableBytes out) {
    size_t length = 0;
    const psa_status_t status = psa_cipher_decrypt(key, PSA_ALG_ECB_NO_PADDING, in.data(),
                                                   in.size(), out.data(), out.size(), &length);
    return status == PSA_SUCCESS && length == kBlock ? kOkStatus : kFailed;
}

// RFC 3394 2.2.2: the content key, or kNoKey when its check value does not come out. PSA has no key
// wrap of its own.
Status unwrap(psa_key_id_t kek, Bytes wrapped, MutableBytes out) {
    constexpr uint8_t kCheckValue = 0xA6;  // RFC 3394 2.2.3.1
    const size_t count = wrapped.size() / kHalf - 1;
    std::array<uint8_t, kHalf> check;
    std::copy_n(wrapped.begin(), kHalf, check.begin());
    std::copy(wrapped.begin() + kHalf, wrapped.end(), out.begin());
    for (size_t t = 6 * count; t != 0; --t) {
        const MutableBytes part = out.subspan((t - 1) % count * kHalf, kHalf);
        std::array<uint8_t, kBlock> block;
        std::array<uint8_t, kBlock> plain;
        std::copy(check.begin(), check.end(), block.begin());
        block[kHalf - 1] = static_cast<uint8_t>(block[kHalf - 1] ^ t);  // at most 6 * 4
        std::copy(part.begin(), part.end(), block.begin() + kHalf);
        const Status status = decrypt_block(kek, block, plain);
        std::copy_n(plain.begin(), kHalf, check.begin());
        std::copy_n(plain.begin() + kHalf, kHalf, part.begin());
        mbedtls_platform_zeroize(plain.data(), plain.size());
        OTA_TRY(status);
    }
    const bool holds =
        std::all_of(check.begin(), check.end(), [](uint8_t b) { return b == kCheckValue; });
    return holds ? kOkStatus : kNoKey;
}

// COSE_KDF_Context (RFC 9053 5.2) as draft-ietf-suit-firmware-encryption fills it:
// [-3, [null, null, null], [null, null, null], [128, protected, 'SUIT Payload Encryption']]
FixedVector<uint8_t, 72> kdf_context(Bytes protected_header) {
    constexpr std::array<uint8_t, 13> kHead = {0x84, 0x22, 0x83, 0xF6, 0xF6, 0xF6, 0x83,
                                               0xF6, 0xF6, 0xF6, 0x83, 0x18, 0x80};
    constexpr std::string_view kPurpose = "SUIT Payload Encryption";
    FixedVector<uint8_t, 72> out;
    const auto add = [&](Bytes bytes) {
        for (const uint8_t byte : bytes) (void)out.push_back(byte);
    };
    const auto add_string = [&](Bytes bytes) {
        (void)out.push_back(static_cast<uint8_t>(0x40 | bytes.size()));  // shorter than 24
        add(bytes);
    };
    add(kHead);
    add_string(protected_header);
    add_string(as_bytes(kPurpose));
    return out;
}

// HKDF-SHA256 (RFC 5869) over the shared secret, without salt.
Status derive_kek(const CoseRecipient& recipient, psa_key_id_t own, psa_key_id_t& out) {
    std::array<uint8_t, 65> peer;
    peer[0] = 0x04;  // uncompressed point (SEC 1 2.3.3)
    std::copy(recipient.x.begin(), recipient.x.end(), peer.begin() + 1);
    std::copy(recipient.y.begin(), recipient.y.end(), peer.begin() + 33);
    const auto info = kdf_context(recipient.protected_header);
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, PSA_KEY_TYPE_AES);
    psa_set_key_bits(&attributes, 128);
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_DECRYPT);
    psa_set_key_algorithm(&attributes, PSA_ALG_ECB_NO_PADDING);
    psa_key_derivation_operation_t operation = PSA_KEY_DERIVATION_OPERATION_INIT;
    psa_status_t status = psa_key_derivation_setup(
        &operation, PSA_ALG_KEY_AGREEMENT(PSA_ALG_ECDH, PSA_ALG_HKDF(PSA_ALG_SHA_256)));
    if (status == PSA_SUCCESS) {
        status = psa_key_derivation_key_agreement(&operation, PSA_KEY_DERIVATION_INPUT_SECRET, own,
                                                  peer.data(), peer.size());
    }
    if (status == PSA_SUCCESS) {
        status = psa_key_derivation_input_bytes(&operation, PSA_KEY_DERIVATION_INPUT_INFO,
                                                info.begin(), info.size());
    }
    if (status == PSA_SUCCESS) {
        status = psa_key_derivation_output_key(&attributes, &operation, &out);
    }
    (void)psa_key_derivation_abort(&operation);
    // A point that is not on the curve is the sender's fault, all else this device's.
    return status == PSA_ERROR_INVALID_ARGUMENT ? kNoKey : from_psa(status);
}

Status open_recipient(const CoseRecipient& recipient, const PayloadKeys& keys, MutableBytes key) {
    if (recipient.kind == CoseRecipient::Kind::kAesKw) {
        return keys.kek == 0 ? kNoKey : unwrap(keys.kek, recipient.wrapped_key, key);
    }
    if (keys.ecdh == 0) return kNoKey;
    psa_key_id_t kek = 0;
    OTA_TRY(derive_kek(recipient, keys.ecdh, kek));
    const Status status = unwrap(kek, recipient.wrapped_key, key);
    (void)psa_destroy_key(kek);
    return status;
}

// The counter block offset bytes into the payload; it counts as one large number.
std::array<uint8_t, kBlock> counter_at(Bytes iv, uint64_t offset) {
    std::array<uint8_t, kBlock> counter;
    std::copy(iv.begin(), iv.end(), counter.begin());
    uint64_t carry = offset / kBlock;
    for (size_t i = kBlock; i-- > 0 && carry != 0;) {
        carry += counter[i];
        counter[i] = static_cast<uint8_t>(carry);
        carry >>= 8;
    }
    return counter;
}

}  // namespace

Status PayloadCipher::open(Bytes info, const PayloadKeys& keys, uint64_t offset) {
    if constexpr (!build::kEncryption) return kLeftOut;
    close();
    CoseEncrypt encrypt;
    OTA_TRY(parse_cose_encrypt(info, encrypt));
    OTA_ASSERT(offset % kBlock == 0);
    std::array<uint8_t, kMaxWrapped - kHalf> storage;
    const MutableBytes key = MutableBytes(storage).first(encrypt.key_size);
    Status opened = kNoKey;
    for (const CoseRecipient& recipient : encrypt.recipients) {
        opened = open_recipient(recipient, keys, key);
        if (opened.ok()) break;
    }
    if (opened.ok()) opened = import_aes(key, PSA_ALG_CTR, key_);
    mbedtls_platform_zeroize(storage.data(), storage.size());
    OTA_TRY(opened);
    const auto counter = counter_at(encrypt.iv, offset);
    psa_status_t status = psa_cipher_decrypt_setup(&operation_, key_, PSA_ALG_CTR);
    if (status == PSA_SUCCESS) {
        status = psa_cipher_set_iv(&operation_, counter.data(), counter.size());
    }
    if (status != PSA_SUCCESS) close();
    return from_psa(status);
}

// Piece by piece: mbedTLS decrypts in place whole blocks only. No larger output than the piece is
// offered: mbedTLS 3.6 writes to the end of what it is offered, whatever it produces.
Status PayloadCipher::apply(MutableBytes bytes) {
    std::array<uint8_t, 256> piece;
    while (!bytes.empty()) {
        const size_t n = std::min(bytes.size(), piece.size());
        std::copy_n(bytes.begin(), n, piece.begin());
        size_t length = 0;
        OTA_TRY(
            from_psa(psa_cipher_update(&operation_, piece.data(), n, bytes.data(), n, &length)));
        if (length != n) return kFailed;
        bytes = bytes.subspan(n);
    }
    return {};
}

void PayloadCipher::close() {
    (void)psa_cipher_abort(&operation_);
    if (key_ != 0) (void)psa_destroy_key(key_);
    key_ = 0;
}

}  // namespace ota
