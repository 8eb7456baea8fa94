#include "access_key.hpp"

#include <psa/crypto.h>

#include <array>
#include <cctype>

#include "base/hex.hpp"
#include "keys.hpp"
#include "ports/access_door.hpp"
#include "wire/sha256.hpp"

namespace otactl {
namespace {

std::array<uint8_t, 32> read_key(const std::string& path) {
    std::string text = read_text(path);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
        text.pop_back();
    }
    std::array<uint8_t, 32> key{};
    if (!ota::parse_hex(text, key)) {
        throw Failure(Exit::kMalformed, path + ": 64 hexadecimal digits");
    }
    return key;
}

ota::Digest hmac(const std::array<uint8_t, 32>& key, const Buffer& message) {
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, PSA_KEY_TYPE_HMAC);
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_MESSAGE);
    psa_set_key_algorithm(&attributes, PSA_ALG_HMAC(PSA_ALG_SHA_256));
    psa_key_id_t id = 0;
    size_t length = 0;
    ota::Digest mac{};
    const bool made =
        psa_import_key(&attributes, key.data(), key.size(), &id) == PSA_SUCCESS &&
        psa_mac_compute(id, PSA_ALG_HMAC(PSA_ALG_SHA_256), message.data(), message.size(),
                        mac.data(), mac.size(), &length) == PSA_SUCCESS;
    (void)psa_destroy_key(id);
    if (!made) throw Failure(Exit::kIo, "HMAC is not available");
    return mac;
}

}  // namespace

Buffer make_proof(const AccessKey& access, const Buffer& message, size_t size) {
    if (!access.key.empty()) {
        ota::Digest digest;
        require(ota::sha256(message, digest), "SHA-256");
        PrivateKey key = PrivateKey::load(access.key);
        if (key.is_rsa()) throw Failure(Exit::kUsage, access.key + ": the door takes ECDSA keys");
        return key.sign(digest);
    }
    const ota::Digest mac = hmac(read_key(access.hmac_file), message);
    const size_t kept = size == 0 ? mac.size() : size;
    return {mac.begin(), mac.begin() + static_cast<std::ptrdiff_t>(kept)};
}

Buffer make_proof(const AccessKey& access, const std::string& serial, const Buffer& challenge) {
    const ota::AccessProof proof = ota::AccessProof::over(serial, challenge);
    return make_proof(access, Buffer(proof.message.begin(), proof.message.end()));
}

}  // namespace otactl
