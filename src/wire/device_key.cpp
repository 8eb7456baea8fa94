#include "wire/device_key.hpp"

#include <mbedtls/base64.h>
#include <psa/crypto.h>

#include <array>

#include "wire/der_writer.hpp"

namespace ota {
namespace {

constexpr Status kRefused{Code::kInternal, Origin::kPlatform};

constexpr uint8_t kBitString = 0x03;
constexpr uint8_t kOctetString = 0x04;
constexpr uint8_t kObjectId = 0x06;
constexpr uint8_t kUtf8 = 0x0C;
constexpr uint8_t kSequence = 0x30;
constexpr uint8_t kSet = 0x31;
constexpr uint8_t kContext0 = 0xA0;
constexpr uint8_t kContext1 = 0xA1;
// RFC 5480 2.1.1 and 2.1.1.1, RFC 5758 3.2, RFC 5280 A.1.
constexpr std::array<uint8_t, 7> kEcPublicKey = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01};
constexpr std::array<uint8_t, 8> kPrime256v1 = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
constexpr std::array<uint8_t, 8> kEcdsaSha256 = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02};
constexpr std::array<uint8_t, 3> kCommonName = {0x55, 0x04, 0x03};

constexpr psa_algorithm_t kAlgorithm = PSA_ALG_ECDSA(PSA_ALG_SHA_256);

// In PSA's volatile memory, for as long as it is needed.
class NewKey {
  public:
    NewKey() {
        psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
        psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
        psa_set_key_bits(&attributes, 256);
        psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_EXPORT | PSA_KEY_USAGE_SIGN_MESSAGE);
        psa_set_key_algorithm(&attributes, kAlgorithm);
        if (psa_generate_key(&attributes, &id_) != PSA_SUCCESS) id_ = 0;
    }
    ~NewKey() { (void)psa_destroy_key(id_); }
    NewKey(const NewKey&) = delete;
    NewKey& operator=(const NewKey&) = delete;

    // 04, x, y.
    bool public_point(std::array<uint8_t, 65>& out) const {
        size_t size = 0;
        return psa_export_public_key(id_, out.data(), out.size(), &size) == PSA_SUCCESS &&
               size == out.size();
    }
    bool secret(std::array<uint8_t, 32>& out) const {
        size_t size = 0;
        return psa_export_key(id_, out.data(), out.size(), &size) == PSA_SUCCESS &&
               size == out.size();
    }
    // r, s.
    bool sign(Bytes message, std::array<uint8_t, 64>& out) const {
        size_t size = 0;
        return psa_sign_message(id_, kAlgorithm, message.data(), message.size(), out.data(),
                                out.size(), &size) == PSA_SUCCESS &&
               size == out.size();
    }

  private:
    psa_key_id_t id_ = 0;
};

void put_object_id(DerWriter& out, Bytes id) {
    const size_t end = out.mark();
    out.put(id);
    out.wrap(kObjectId, end);
}

void put_bits(DerWriter& out, Bytes bits) {
    const size_t end = out.mark();
    out.put(bits);
    out.put(uint8_t{0});  // all bits of the last byte count
    out.wrap(kBitString, end);
}

// RFC 5915 3, with the curve and the public key.
Bytes write_private_key(Bytes secret, Bytes point, MutableBytes buffer) {
    DerWriter out(buffer);
    const size_t end = out.mark();
    put_bits(out, point);
    out.wrap(kContext1, end);
    const size_t curve = out.mark();
    put_object_id(out, kPrime256v1);
    out.wrap(kContext0, curve);
    const size_t key = out.mark();
    out.put(secret);
    out.wrap(kOctetString, key);
    const uint8_t version = 1;
    out.integer({&version, 1});
    out.wrap(kSequence, end);
    return out.bytes();
}

void put_name(DerWriter& out, std::string_view common_name) {
    const size_t end = out.mark();
    out.put(as_bytes(common_name));
    out.wrap(kUtf8, end);
    put_object_id(out, kCommonName);
    out.wrap(kSequence, end);
    out.wrap(kSet, end);
    out.wrap(kSequence, end);
}

// CertificationRequestInfo, RFC 2986 4.1, without attributes.
Bytes write_info(std::string_view common_name, Bytes point, MutableBytes buffer) {
    DerWriter out(buffer);
    const size_t end = out.mark();
    out.wrap(kContext0, end);
    const size_t key = out.mark();
    put_bits(out, point);
    const size_t kind = out.mark();
    put_object_id(out, kPrime256v1);
    put_object_id(out, kEcPublicKey);
    out.wrap(kSequence, kind);
    out.wrap(kSequence, key);
    put_name(out, common_name);
    const uint8_t version = 0;
    out.integer({&version, 1});
    out.wrap(kSequence, end);
    return out.bytes();
}

// CertificationRequest, RFC 2986 4.2.
Bytes write_request(Bytes info, const std::array<uint8_t, 64>& signature, MutableBytes buffer) {
    DerWriter out(buffer);
    const size_t end = out.mark();
    out.integer(Bytes(signature).last(32));
    out.integer(Bytes(signature).first(32));
    out.wrap(kSequence, end);
    out.put(uint8_t{0});
    out.wrap(kBitString, end);
    const size_t kind = out.mark();
    put_object_id(out, kEcdsaSha256);
    out.wrap(kSequence, kind);
    out.put(info);
    out.wrap(kSequence, end);
    return out.bytes();
}

// RFC 7468 3: lines of 64 characters, of 48 bytes each.
template <size_t N>
bool write_pem(std::string_view label, Bytes der, FixedString<N>& out) {
    out.assign("-----BEGIN ");
    out.append(label);
    out.append("-----\n");
    bool fits = !der.empty();
    std::array<unsigned char, 65> line;
    while (!der.empty()) {
        const Bytes part = der.first(std::min<size_t>(der.size(), 48));
        size_t length = 0;
        (void)mbedtls_base64_encode(line.data(), line.size(), &length, part.data(), part.size());
        fits = out.try_append({reinterpret_cast<const char*>(line.data()), length}) &&
               out.try_append("\n") && fits;
        der = der.subspan(part.size());
    }
    mbedtls_platform_zeroize(line.data(), line.size());
    fits = out.try_append("-----END ") && out.try_append(label) && fits;
    return out.try_append("-----\n") && fits;
}

}  // namespace

Status make_device_key(std::string_view common_name, KeyPem& key, RequestPem& request) {
    if (common_name.empty() || common_name.size() > kMaxCommonName) {
        return {Code::kOutOfRange, Origin::kPlatform};
    }
    const NewKey pair;
    std::array<uint8_t, 65> point;
    std::array<uint8_t, 32> secret;
    std::array<uint8_t, 384> buffer;
    if (!pair.public_point(point) || !pair.secret(secret)) return kRefused;
    const bool has_key = write_pem("EC PRIVATE KEY", write_private_key(secret, point, buffer), key);
    mbedtls_platform_zeroize(secret.data(), secret.size());
    mbedtls_platform_zeroize(buffer.data(), buffer.size());
    std::array<uint8_t, 64> signature;
    std::array<uint8_t, 256> info_buffer;
    const Bytes info = write_info(common_name, point, info_buffer);
    if (!has_key || !pair.sign(info, signature)) return kRefused;
    const bool whole =
        write_pem("CERTIFICATE REQUEST", write_request(info, signature, buffer), request);
    return whole ? kOkStatus : kRefused;
}

}  // namespace ota
