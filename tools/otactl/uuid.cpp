#include "uuid.hpp"

#include <fmt/format.h>
#include <psa/crypto.h>

#include <algorithm>

#include "base/hex.hpp"
#include "files.hpp"

namespace otactl {
namespace {

Uuid name_uuid(const Uuid& space, const std::string& name) {
    Buffer input(space.begin(), space.end());
    input.insert(input.end(), name.begin(), name.end());
    std::array<uint8_t, 20> digest{};
    size_t length = 0;
    if (psa_hash_compute(PSA_ALG_SHA_1, input.data(), input.size(), digest.data(), digest.size(),
                         &length) != PSA_SUCCESS) {
        throw Failure(Exit::kIo, "SHA-1 is not available");
    }
    Uuid out;
    std::copy_n(digest.begin(), out.size(), out.begin());
    out[6] = static_cast<uint8_t>((out[6] & 0x0F) | 0x50);
    out[8] = static_cast<uint8_t>((out[8] & 0x3F) | 0x80);
    return out;
}

// RFC 9562 6.6
constexpr Uuid kNamespaceDns = {0x6B, 0xA7, 0xB8, 0x10, 0x9D, 0xAD, 0x11, 0xD1,
                                0x80, 0xB4, 0x00, 0xC0, 0x4F, 0xD4, 0x30, 0xC8};

}  // namespace

Uuid vendor_uuid(const std::string& domain) {
    return name_uuid(kNamespaceDns, domain);
}

Uuid class_uuid(const Uuid& vendor, const std::string& name) {
    return name_uuid(vendor, name);
}

Uuid parse_uuid(const std::string& text) {
    std::string digits;
    for (const char c : text) {
        if (c != '-') digits += c;
    }
    Uuid out;
    if (!ota::parse_hex(digits, out)) throw Failure(Exit::kUsage, text + " is no UUID");
    return out;
}

std::string uuid_text(const Uuid& id) {
    std::string out;
    for (size_t i = 0; i < id.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
        out += fmt::format("{:02x}", id[i]);
    }
    return out;
}

}  // namespace otactl
