#include "support/image_factory.hpp"

#include <mbedtls/base64.h>
#include <psa/crypto.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "support/test_keys.hpp"

namespace test {
namespace {

constexpr size_t kSector = 4096;
constexpr size_t kBlock = 1216;

void put32(Buffer& out, uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<uint8_t>(value >> shift));
}

void set32(uint8_t* at, uint32_t value) {
    for (int i = 0; i < 4; ++i) at[i] = static_cast<uint8_t>(value >> (8 * i));
}

void put_text(Buffer& out, std::string_view text, size_t field) {
    for (const char c : text) out.push_back(static_cast<uint8_t>(c));
    out.insert(out.end(), field - text.size(), 0);
}

Buffer hash(psa_algorithm_t algorithm, const uint8_t* bytes, size_t size) {
    Buffer out(PSA_HASH_LENGTH(algorithm));
    size_t length = 0;
    if (psa_hash_compute(algorithm, bytes, size, out.data(), out.size(), &length) != PSA_SUCCESS)
        abort();
    return out;
}

uint32_t crc32_zlib(const uint8_t* bytes, size_t size) {
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < size; ++i) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320U : crc >> 1;
    }
    return ~crc;
}

Buffer descriptor(const ImageSpec& spec) {
    Buffer out;
    put32(out, 0xABCD5432);
    put32(out, spec.secure_version);
    put32(out, 0);
    put32(out, 0);
    put_text(out, spec.version, 32);
    put_text(out, spec.project, 32);
    put_text(out, "", 16 + 16 + 32);
    for (uint32_t i = 0; i < 8; ++i)
        put32(out, spec.seed * 2654435761U + i);  // stands for the ELF hash
    out.resize(256, 0);
    return out;
}

Buffer contents(const ImageSpec& spec) {
    Buffer out(spec.payload);
    uint32_t x = spec.seed;
    for (uint8_t& byte : out) {
        x = x * 1664525U + 1013904223U;
        byte = static_cast<uint8_t>(x >> 24);
    }
    std::fill(out.begin() + spec.blank_from, out.begin() + spec.blank_to, uint8_t{0xFF});
    return out;
}

void put_segment(Buffer& out, uint32_t address, const Buffer& data, uint8_t& checksum) {
    put32(out, address);
    put32(out, static_cast<uint32_t>(data.size()));
    out.insert(out.end(), data.begin(), data.end());
    for (const uint8_t byte : data) checksum = static_cast<uint8_t>(checksum ^ byte);
}

// Of RSA keys.
constexpr psa_algorithm_t kPss = PSA_ALG_RSA_PSS(PSA_ALG_SHA_256);
constexpr psa_algorithm_t kPkcs1 = PSA_ALG_RSA_PKCS1V15_SIGN(PSA_ALG_SHA_256);

psa_algorithm_t algorithm_of(Key key, psa_algorithm_t of_rsa) {
    return key == Key::kRsa ? of_rsa : PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256);
}

psa_key_id_t import(Key key, psa_algorithm_t of_rsa = kPss) {
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_HASH | PSA_KEY_USAGE_EXPORT);
    const bool rsa = key == Key::kRsa;
    psa_set_key_algorithm(&attributes, algorithm_of(key, of_rsa));
    psa_set_key_type(&attributes, rsa ? PSA_KEY_TYPE_RSA_KEY_PAIR
                                      : PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_key_id_t id = 0;
    const auto& scalar = key == Key::kEc ? kEcPrivate : kOtherEcPrivate;
    const psa_status_t status =
        rsa ? psa_import_key(&attributes, kRsaPrivate.data(), kRsaPrivate.size(), &id)
            : psa_import_key(&attributes, scalar.data(), scalar.size(), &id);
    if (status != PSA_SUCCESS) abort();
    return id;
}

Buffer sign_digest(psa_key_id_t id, psa_algorithm_t algorithm, const Buffer& digest) {
    Buffer signature(384);
    size_t length = 0;
    if (psa_sign_hash(id, algorithm, digest.data(), digest.size(), signature.data(),
                      signature.size(), &length) != PSA_SUCCESS) {
        abort();
    }
    signature.resize(length);
    return signature;
}

Buffer public_key(psa_key_id_t id) {
    Buffer out(400);
    size_t length = 0;
    if (psa_export_public_key(id, out.data(), out.size(), &length) != PSA_SUCCESS) abort();
    out.resize(length);
    return out;
}

Buffer signature_block(Key key, const Buffer& digest) {
    Buffer block(kBlock, 0);
    block[0] = 0xE7;
    std::copy(digest.begin(), digest.end(), block.begin() + 4);
    const psa_key_id_t id = import(key);
    const Buffer signature = sign_digest(id, algorithm_of(key, kPss), digest);
    const Buffer point = public_key(id);
    (void)psa_destroy_key(id);
    if (key == Key::kRsa) {
        block[1] = 2;
        std::reverse_copy(point.begin() + 9, point.begin() + 9 + 384, block.begin() + 36);
        set32(&block[420],
              65537);  // R and M' are for the chip's multiplier; nobody reads them here
        std::reverse_copy(signature.begin(), signature.end(), block.begin() + 812);
    } else {
        block[1] = 3;
        block[36] = 2;
        std::reverse_copy(point.begin() + 1, point.begin() + 33, block.begin() + 37);
        std::reverse_copy(point.begin() + 33, point.begin() + 65, block.begin() + 69);
        std::reverse_copy(signature.begin(), signature.begin() + 32, block.begin() + 101);
        std::reverse_copy(signature.begin() + 32, signature.begin() + 64, block.begin() + 133);
    }
    set32(&block[1196], crc32_zlib(block.data(), 1196));
    return block;
}

}  // namespace

Buffer make_image(const ImageSpec& spec) {
    Buffer out = {0xE9, 2, 2, 0x4F};
    put32(out, 0x40000020);
    out.insert(out.end(), {0xEE, 0, 0, 0});
    for (const uint16_t value : {spec.chip_id}) {
        out.push_back(static_cast<uint8_t>(value));
        out.push_back(static_cast<uint8_t>(value >> 8));
    }
    out.push_back(0);
    for (const uint16_t value : {spec.min_chip_revision, spec.max_chip_revision}) {
        out.push_back(static_cast<uint8_t>(value));
        out.push_back(static_cast<uint8_t>(value >> 8));
    }
    put32(out, 0);
    out.push_back(1);
    uint8_t checksum = 0xEF;
    put_segment(out, 0x40000020, descriptor(spec), checksum);
    put_segment(out, 0x4FF00000, contents(spec), checksum);
    out.resize((out.size() + 16) / 16 * 16, 0);
    out.back() = checksum;
    const Buffer digest = hash(PSA_ALG_SHA_256, out.data(), out.size());
    out.insert(out.end(), digest.begin(), digest.end());
    return out;
}

const char* public_pem(Key key) {
    if (key == Key::kRsa) return kRsaPublicPem;
    return key == Key::kEc ? kEcPublicPem : kOtherEcPublicPem;
}

Buffer sign_bytes(const Buffer& digest, Key key) {
    const psa_key_id_t id = import(key);
    Buffer signature = sign_digest(id, algorithm_of(key, kPss), digest);
    (void)psa_destroy_key(id);
    return signature;
}

std::string sign_beside(const Buffer& file, Key key) {
    const psa_key_id_t id = import(key, kPkcs1);
    Buffer signature = sign_digest(id, algorithm_of(key, kPkcs1), sha256(file));
    (void)psa_destroy_key(id);
    if (key != Key::kRsa) {
        const Buffer raw = signature;
        signature = {0x30, 0};
        for (const uint8_t* number = raw.data(); number != raw.data() + 64; number += 32) {
            const uint8_t* first =
                std::find_if(number, number + 31, [](uint8_t b) { return b != 0; });
            const auto sign = static_cast<uint8_t>(*first >> 7);
            signature.push_back(0x02);
            signature.push_back(static_cast<uint8_t>(number + 32 - first + sign));
            if (sign != 0) signature.push_back(0);
            signature.insert(signature.end(), first, number + 32);
        }
        signature[1] = static_cast<uint8_t>(signature.size() - 2);
    }
    std::string out(600, 0);
    size_t length = 0;
    if (mbedtls_base64_encode(reinterpret_cast<unsigned char*>(out.data()), out.size(), &length,
                              signature.data(), signature.size()) != 0) {
        abort();
    }
    out.resize(length);
    return out;
}

void sign(Buffer& image, Key key) {
    // A signed image of these tests ends in a sector that starts with the block's magic.
    const bool has_sector = image.size() % kSector == 0 && image[image.size() - kSector] == 0xE7;
    if (!has_sector) {
        image.resize((image.size() + kSector - 1) / kSector * kSector, 0xFF);
        image.resize(image.size() + kSector, 0xFF);
    }
    const size_t sector = image.size() - kSector;
    const Buffer block = signature_block(key, hash(PSA_ALG_SHA_256, image.data(), sector));
    for (size_t i = 0; i < 3; ++i) {
        if (image[sector + i * kBlock] == 0xE7) continue;
        std::copy(block.begin(), block.end(),
                  image.begin() + static_cast<std::ptrdiff_t>(sector + i * kBlock));
        return;
    }
    abort();
}

Buffer make_signed(const ImageSpec& spec, Key key) {
    Buffer image = make_image(spec);
    sign(image, key);
    return image;
}

Buffer make_signed_of_size(std::string_view version, uint32_t size, uint32_t seed) {
    ImageSpec spec;
    spec.version = version;
    spec.seed = seed;
    spec.payload = size - static_cast<uint32_t>(kSector) -
                   512;  // header, descriptor and hash fit into the rest
    Buffer image = make_signed(spec);
    if (image.size() != size) abort();
    return image;
}

Buffer sha256(const Buffer& bytes) {
    return hash(PSA_ALG_SHA_256, bytes.data(), bytes.size());
}

Buffer md5(const Buffer& bytes) {
    return hash(PSA_ALG_MD5, bytes.data(), bytes.size());
}

}  // namespace test
