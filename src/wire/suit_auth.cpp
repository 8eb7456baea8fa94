#include "wire/suit_auth.hpp"

#include "wire/sha256.hpp"

namespace ota {
namespace {

constexpr uint64_t kTagSign1 = 18;
constexpr int64_t kHeaderAlgorithm = 1;
constexpr int64_t kHeaderKid = 4;
constexpr size_t kMaxHeader = 255;

constexpr Status malformed(Detail detail) {
    return {Code::kMalformed, Origin::kPackage, detail};
}

// {1: algorithm} and nothing else: what is not understood must not be signed for.
Status parse_protected(Bytes header, CoseAlgorithm& out) {
    if (header.size() > kMaxHeader) return malformed(Detail::kCoseForm);
    CborReader reader(header);
    OTA_TRY_ASSIGN(const size_t pairs, reader.map());
    if (pairs != 1) return malformed(Detail::kCoseForm);
    OTA_TRY_ASSIGN(const int64_t label, reader.number());
    OTA_TRY_ASSIGN(const int64_t algorithm, reader.number());
    if (label != kHeaderAlgorithm || !reader.at_end()) return malformed(Detail::kCoseForm);
    for (const CoseAlgorithm known :
         {CoseAlgorithm::kEs256, CoseAlgorithm::kEsp256, CoseAlgorithm::kPs256}) {
        if (algorithm != static_cast<int64_t>(known)) continue;
        out = known;
        return {};
    }
    return {Code::kIncompatible, Origin::kPackage, Detail::kCoseAlgorithm};
}

Status parse_unprotected(CborReader& reader, Bytes& kid) {
    OTA_TRY_ASSIGN(const size_t pairs, reader.map());
    for (size_t i = 0; i < pairs; ++i) {
        OTA_TRY_ASSIGN(const int64_t label, reader.number());
        if (label != kHeaderKid) {
            OTA_TRY(reader.item().status());
            continue;
        }
        OTA_TRY_ASSIGN(kid, reader.bytes());
    }
    return {};
}

Status parse_sign1(Bytes block, CoseSign1& out) {
    CborReader reader(block);
    OTA_TRY(reader.tag(kTagSign1));
    OTA_TRY_ASSIGN(const size_t members, reader.array());
    if (members != 4) return malformed(Detail::kCoseForm);
    OTA_TRY_ASSIGN(out.protected_header, reader.bytes());
    OTA_TRY(parse_protected(out.protected_header, out.algorithm));
    OTA_TRY(parse_unprotected(reader, out.kid));
    OTA_TRY(reader.null());  // the payload is detached
    OTA_TRY_ASSIGN(out.signature, reader.bytes());
    return reader.at_end() ? kOkStatus : malformed(Detail::kCoseForm);
}

// What does not look like a block is one finding, whatever of it does not; only the algorithm is
// another.
Status as_cose_finding(Status why) {
    return why.ok() || why.is(Code::kIncompatible) ? why : malformed(Detail::kCoseForm);
}

}  // namespace

Result<Bytes> parse_suit_digest(Bytes item) {
    CborReader reader(item);
    OTA_TRY_ASSIGN(const size_t members, reader.array());
    if (members != 2) return malformed(Detail::kCborType);
    OTA_TRY_ASSIGN(const int64_t algorithm, reader.number());
    OTA_TRY_ASSIGN(const Bytes digest, reader.bytes());
    if (!reader.at_end()) return malformed(Detail::kTrailingBytes);
    if (algorithm != kCoseSha256 || digest.size() != kSha256Size) {
        return Status{Code::kIncompatible, Origin::kPackage, Detail::kCoseAlgorithm};
    }
    return digest;
}

Status parse_auth_wrapper(Bytes wrapper, AuthWrapper& out) {
    CborReader reader(wrapper);
    OTA_TRY_ASSIGN(const size_t members, reader.array());
    if (members < 2) return {Code::kUntrusted, Origin::kPackage, Detail::kAuthMissing};
    OTA_TRY_ASSIGN(out.digest_item, reader.bytes());
    OTA_TRY_ASSIGN(out.digest, parse_suit_digest(out.digest_item));
    out.signatures.clear();
    for (size_t i = 1; i < members; ++i) {
        OTA_TRY_ASSIGN(const Bytes block, reader.bytes());
        CoseSign1 parsed;
        OTA_TRY(as_cose_finding(parse_sign1(block, parsed)));
        if (!out.signatures.push_back(parsed)) return malformed(Detail::kCoseForm);
    }
    return reader.at_end() ? kOkStatus : malformed(Detail::kTrailingBytes);
}

Status hash_to_be_signed(const CoseSign1& block, Bytes payload, Digest& out) {
    // ["Signature1", protected, h'', payload]; both strings are shorter than 256 bytes.
    constexpr std::array<uint8_t, 12> kHead = {0x84, 0x6A, 'S', 'i', 'g', 'n',
                                               'a',  't',  'u', 'r', 'e', '1'};
    constexpr uint8_t kNoExternalData = 0x40;
    RunningHash hash(PSA_ALG_SHA_256);
    OTA_TRY(hash.start());
    OTA_TRY(hash.update(kHead));
    const auto add_string = [&](Bytes bytes) -> Status {
        const auto length = static_cast<uint8_t>(bytes.size());
        const std::array<uint8_t, 2> head = {0x58, length};
        const uint8_t short_head = static_cast<uint8_t>(0x40 | length);
        OTA_TRY(hash.update(length < 24 ? Bytes(&short_head, 1) : Bytes(head)));
        return hash.update(bytes);
    };
    if (block.protected_header.size() > kMaxHeader || payload.size() > kMaxHeader) {
        return malformed(Detail::kCoseForm);
    }
    OTA_TRY(add_string(block.protected_header));
    OTA_TRY(hash.update(Bytes(&kNoExternalData, 1)));
    OTA_TRY(add_string(payload));
    return hash.value(out);
}

}  // namespace ota
