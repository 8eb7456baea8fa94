#include "verify/trust_store.hpp"

#include <mbedtls/base64.h>

#include "wire/sha256.hpp"

namespace ota {
namespace {

constexpr Status kBadPem{Code::kMalformed, Origin::kVerify, Detail::kPemMalformed};
constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kLabel = "PUBLIC KEY-----";
constexpr std::string_view kEnd = "-----END PUBLIC KEY-----";

// DER of a SubjectPublicKeyInfo up to the key itself (RFC 8017 A.1, RFC 5480 2.1.1). A closed set
// of key kinds makes every length fixed, so a prefix comparison is the whole parser.
constexpr std::array<uint8_t, 24> kRsa3072Prefix = {0x30, 0x82, 0x01, 0xA2, 0x30, 0x0D, 0x06, 0x09,
                                                    0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01,
                                                    0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x8F, 0x00};
constexpr std::array<uint8_t, 26> kP256Prefix = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
    0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
// RSAPublicKey with a 3072-bit modulus and exponent 65537: fixed head and tail around it.
constexpr std::array<uint8_t, 9> kRsaKeyHead = {0x30, 0x82, 0x01, 0x8A, 0x02,
                                                0x82, 0x01, 0x81, 0x00};
constexpr std::array<uint8_t, 5> kRsaKeyTail = {0x02, 0x03, 0x01, 0x00, 0x01};
constexpr size_t kMaxDer = kRsa3072Prefix.size() + TrustedKey::kRsaSize;

bool starts_with(Bytes bytes, Bytes head) {
    return bytes.size() >= head.size() && std::equal(head.begin(), head.end(), bytes.begin());
}

Status parse_spki(Bytes der, TrustedKey& key) {
    Bytes body;
    if (starts_with(der, kRsa3072Prefix)) {
        key.kind = KeyKind::kRsa3072;
        body = der.subspan(kRsa3072Prefix.size());
        const bool shape = body.size() == TrustedKey::kRsaSize && starts_with(body, kRsaKeyHead) &&
                           starts_with(body.last(kRsaKeyTail.size()), kRsaKeyTail);
        if (!shape) return {Code::kMalformed, Origin::kVerify, Detail::kKeyKind};
    } else if (starts_with(der, kP256Prefix)) {
        key.kind = KeyKind::kEcdsaP256;
        body = der.subspan(kP256Prefix.size());
        if (body.size() != TrustedKey::kEcSize || body[0] != 0x04) return kBadPem;
    } else {
        return {Code::kMalformed, Origin::kVerify, Detail::kKeyKind};
    }
    std::copy(body.begin(), body.end(), key.storage.begin());
    return {};
}

// Takes the next block's base64 text off pem; false at the end.
Result<bool> next_block(std::string_view& pem, std::string_view& base64) {
    const size_t begin = pem.find(kBegin);
    if (begin == std::string_view::npos) return false;
    pem.remove_prefix(begin + kBegin.size());
    if (!pem.starts_with(kLabel))
        return Status{Code::kMalformed, Origin::kVerify, Detail::kKeyKind};
    pem.remove_prefix(kLabel.size());
    const size_t end = pem.find(kEnd);
    if (end == std::string_view::npos) return kBadPem;
    base64 = pem.substr(0, end);
    pem.remove_prefix(end + kEnd.size());
    return true;
}

Status load_block(std::string_view base64, TrustedKey& out) {
    std::array<uint8_t, kMaxDer> der;
    size_t length = 0;
    const auto* text = reinterpret_cast<const unsigned char*>(base64.data());
    if (mbedtls_base64_decode(der.data(), der.size(), &length, text, base64.size()) != 0) {
        return kBadPem;
    }
    OTA_TRY(sha256(Bytes(der).first(length), out.id));
    return parse_spki(Bytes(der).first(length), out);
}

// take() gets each block's base64 text.
template <typename Take>
Status each_block(std::string_view pem, Take take) {
    std::string_view base64;
    bool any = false;
    while (true) {
        OTA_TRY_ASSIGN(const bool found, next_block(pem, base64));
        if (!found) return any ? kOkStatus : kBadPem;
        OTA_TRY(take(base64));
        any = true;
    }
}

}  // namespace

Status load_public_key(std::string_view pem, TrustedKey& out) {
    bool any = false;
    return each_block(pem, [&](std::string_view base64) -> Status {
        if (any) return {Code::kNoSpace, Origin::kVerify, Detail::kNoTrustedKey};
        any = true;
        return load_block(base64, out);
    });
}

Bytes TrustedKey::material() const {
    if (kind == KeyKind::kEcdsaP256) return bytes().subspan(1);
    return bytes().subspan(kRsaKeyHead.size(), kRsaSize - kRsaKeyHead.size() - kRsaKeyTail.size());
}

// In place: a second store would not fit the stack of ESP-IDF's main task.
Status TrustStore::load_pem(std::string_view pem) {
    const size_t before = keys_.size();
    const Status loaded = each_block(pem, [&](std::string_view base64) -> Status {
        TrustedKey key;
        OTA_TRY(load_block(base64, key));
        return add(key);
    });
    while (!loaded.ok() && keys_.size() > before) keys_.pop_back();
    return loaded;
}

Status TrustStore::add(const TrustedKey& key) {
    // A key that is listed twice is one key, also where several have to sign.
    const auto same = [&](const TrustedKey& known) { return known.id == key.id; };
    if (std::any_of(keys_.begin(), keys_.end(), same)) return {};
    return keys_.push_back(key) ? kOkStatus
                                : Status{Code::kNoSpace, Origin::kVerify, Detail::kNoTrustedKey};
}

void TrustStore::revoke(const Digest& id) {
    for (size_t i = keys_.size(); i-- > 0;) {
        if (keys_[i].id == id) keys_.erase(i);
    }
}

}  // namespace ota
