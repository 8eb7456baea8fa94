#include "wire/cose_encrypt.hpp"

#include <optional>

namespace ota {
namespace {

constexpr uint64_t kTagEncrypt = 96;
// Header labels (RFC 9052 3.1) and algorithms (IANA registry "COSE Algorithms").
constexpr int64_t kHeaderAlgorithm = 1;
constexpr int64_t kHeaderCritical = 2;
constexpr int64_t kHeaderIv = 5;
constexpr int64_t kHeaderPartialIv = 6;
constexpr int64_t kEphemeralKey = -1;
constexpr int64_t kA128Ctr = -65534;
constexpr int64_t kA256Ctr = -65532;
constexpr int64_t kA128Kw = -3;
constexpr int64_t kEcdhEsA128Kw = -29;
// COSE_Key (RFC 9052 7.1, RFC 9053 7.1.1)
constexpr int64_t kKeyType = 1;
constexpr int64_t kKeyTypeEc2 = 2;
constexpr int64_t kKeyCurve = -1;
constexpr int64_t kCurveP256 = 1;
constexpr int64_t kKeyX = -2;
constexpr int64_t kKeyY = -3;
constexpr size_t kCoordinate = 32;
constexpr size_t kCtrBlock = 16;
constexpr size_t kMaxProtected = 23;  // its length stands in one byte of the key derivation

constexpr Status kForm{Code::kMalformed, Origin::kPackage, Detail::kEncryptionForm};
constexpr Status kOther{Code::kIncompatible, Origin::kPackage, Detail::kEncryptionForm};

struct Headers {
    std::optional<int64_t> algorithm;
    Bytes iv;
    Bytes ephemeral_key;  // encoded
};

// A map of header fields; those that are not needed are passed by, unless they must not be.
Status parse_headers(CborReader& reader, Headers& out) {
    OTA_TRY_ASSIGN(const size_t pairs, reader.map());
    CborKeyOrder order;
    for (size_t i = 0; i < pairs; ++i) {
        OTA_TRY_ASSIGN(const int64_t label, reader.number());
        OTA_TRY(order.next(label));
        if (label == kHeaderCritical || label == kHeaderPartialIv) return kForm;
        if (label == kHeaderAlgorithm) {
            OTA_TRY_ASSIGN(out.algorithm, reader.number());
        } else if (label == kHeaderIv) {
            OTA_TRY_ASSIGN(out.iv, reader.bytes());
        } else {
            OTA_TRY_ASSIGN(const Bytes value, reader.item());
            if (label == kEphemeralKey) out.ephemeral_key = value;
        }
    }
    return {};
}

Status parse_key(Bytes encoded, CoseRecipient& out) {
    CborReader reader(encoded);
    OTA_TRY_ASSIGN(const size_t pairs, reader.map());
    bool is_p256 = false;
    bool is_ec2 = false;
    CborKeyOrder order;
    for (size_t i = 0; i < pairs; ++i) {
        OTA_TRY_ASSIGN(const int64_t label, reader.number());
        OTA_TRY(order.next(label));
        if (label == kKeyX) {
            OTA_TRY_ASSIGN(out.x, reader.bytes());
        } else if (label == kKeyY) {
            OTA_TRY_ASSIGN(out.y, reader.bytes());
        } else if (label == kKeyType || label == kKeyCurve) {
            OTA_TRY_ASSIGN(const int64_t value, reader.number());
            (label == kKeyType ? is_ec2 : is_p256) =
                value == (label == kKeyType ? kKeyTypeEc2 : kCurveP256);
        } else {
            OTA_TRY(reader.item().status());  // its id
        }
    }
    const bool whole = out.x.size() == kCoordinate && out.y.size() == kCoordinate;
    return is_ec2 && is_p256 && whole ? kOkStatus : kOther;
}

// [protected, unprotected, wrapped key]. Of another form or kind: a failure.
Status parse_recipient(Bytes encoded, CoseRecipient& out) {
    CborReader reader(encoded);
    OTA_TRY_ASSIGN(const size_t members, reader.array());
    if (members != 3) return kForm;
    OTA_TRY_ASSIGN(out.protected_header, reader.bytes());
    if (out.protected_header.size() > kMaxProtected) return kOther;
    Headers authenticated;
    if (!out.protected_header.empty()) {
        CborReader inner(out.protected_header);
        OTA_TRY(parse_headers(inner, authenticated));
        if (!inner.at_end()) return kForm;
    }
    Headers headers;
    OTA_TRY(parse_headers(reader, headers));
    OTA_TRY_ASSIGN(out.wrapped_key, reader.bytes());
    // Key wrap has nothing to authenticate a header with; key agreement has to.
    if (headers.algorithm == kA128Kw && out.protected_header.empty()) {
        out.kind = CoseRecipient::Kind::kAesKw;
        return {};
    }
    if (authenticated.algorithm != kEcdhEsA128Kw || headers.algorithm) return kOther;
    out.kind = CoseRecipient::Kind::kEcdhEs;
    return parse_key(headers.ephemeral_key, out);
}

Status parse_recipients(CborReader& reader, CoseEncrypt& out) {
    OTA_TRY_ASSIGN(const size_t count, reader.array());
    if (count == 0 || count > kMaxRecipients) return kForm;
    for (size_t i = 0; i < count; ++i) {
        OTA_TRY_ASSIGN(const Bytes encoded, reader.item());
        CoseRecipient recipient;
        const bool known = parse_recipient(encoded, recipient).ok();
        if (known && recipient.wrapped_key.size() == out.key_size + 8) {
            (void)out.recipients.push_back(recipient);
        }
    }
    return out.recipients.empty() ? kOther : kOkStatus;
}

// Of the content key; empty: another algorithm.
std::optional<size_t> key_size_of(int64_t algorithm) {
    switch (algorithm) {
        case kA128Ctr:
            return 16;
        case kA256Ctr:
            return 32;
        default:
            return std::nullopt;
    }
}

Status parse(Bytes encoded, CoseEncrypt& out) {
    CborReader reader(encoded);
    OTA_TRY(reader.tag(kTagEncrypt));
    OTA_TRY_ASSIGN(const size_t members, reader.array());
    if (members != 4) return kForm;
    OTA_TRY_ASSIGN(const Bytes protected_header, reader.bytes());
    Headers headers;
    OTA_TRY(parse_headers(reader, headers));
    // A counter mode has no authentication that could protect a header.
    if (!protected_header.empty()) return kOther;
    const std::optional<size_t> key_size = key_size_of(headers.algorithm.value_or(0));
    if (!key_size) return kOther;
    if (headers.iv.size() != kCtrBlock) return kForm;
    out.key_size = *key_size;
    out.iv = headers.iv;
    OTA_TRY(reader.null());  // the ciphertext is the payload
    OTA_TRY(parse_recipients(reader, out));
    return reader.at_end() ? kOkStatus : kForm;
}

}  // namespace

Status parse_cose_encrypt(Bytes encoded, CoseEncrypt& out) {
    out = CoseEncrypt();
    const Status status = parse(encoded, out);
    return status.ok() || status == kOther ? status : kForm;
}

}  // namespace ota
