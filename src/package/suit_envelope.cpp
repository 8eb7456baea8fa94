#include "package/suit_envelope.hpp"

namespace ota {
namespace {

constexpr Status malformed(Detail detail) {
    return {Code::kMalformed, Origin::kPackage, detail};
}
constexpr Status kMore{Code::kTryAgain, Origin::kPackage};

// What more bytes would mend is not known yet.
Status or_more(Status why) {
    return why.detail() == Detail::kCborTruncated ? kMore : why;
}

// A byte string no longer than limit: its length is judged before its bytes are there.
Status limited_bytes(CborReader& reader, size_t limit, Bytes& content, Bytes* with_head) {
    const Bytes start = reader.rest();
    CborReader ahead = reader;
    const Result<CborHead> head = ahead.head();
    if (!head.ok()) return or_more(head.status());
    if ((*head).type != CborType::kBytes) return malformed(Detail::kCborType);
    if ((*head).value > limit) return malformed(Detail::kPrefixTooLarge);
    const Result<Bytes> found = reader.bytes();
    if (!found.ok()) return or_more(found.status());
    content = *found;
    if (with_head != nullptr) *with_head = start.first(start.size() - reader.rest().size());
    return {};
}

Status next_key(CborReader& reader, uint64_t& key) {
    const Result<uint64_t> found = reader.unsigned_number();
    if (!found.ok()) return or_more(found.status());
    key = *found;
    return {};
}

Status parse_required(CborReader& reader, SuitPrefix& out) {
    uint64_t key = 0;
    OTA_TRY(next_key(reader, key));
    if (key == suit::kManifest) {
        // The signature has to come first, so that nothing is taken on trust. Without one at all
        // there is nothing to wait for either.
        Bytes manifest;
        OTA_TRY(limited_bytes(reader, kMaxManifest, manifest, nullptr));
        uint64_t after = 0;
        const Status follows = next_key(reader, after);
        if (follows.is(Code::kTryAgain)) return follows;
        const bool late = follows.ok() && after == suit::kAuthWrapper;
        if (late) return malformed(Detail::kEnvelopeOrder);
        return {Code::kUntrusted, Origin::kPackage, Detail::kAuthMissing};
    }
    if (key != suit::kAuthWrapper) return malformed(Detail::kEnvelopeMember);
    OTA_TRY(limited_bytes(reader, kMaxAuthWrapper, out.auth, nullptr));
    OTA_TRY(next_key(reader, key));
    if (key != suit::kManifest) return malformed(Detail::kEnvelopeMember);
    return limited_bytes(reader, kMaxManifest, out.manifest, &out.manifest_with_head);
}

// Members that the manifest holds by their digest. Text is for people; the device does not read it.
Status parse_severed(CborReader& reader, size_t& members, SuitPrefix& out) {
    int64_t last = suit::kManifest;
    while (members != 0) {
        const Result<CborType> type = reader.peek();
        if (!type.ok()) return or_more(type.status());
        if (*type == CborType::kText) return {};
        SeveredMember member;
        uint64_t key = 0;
        OTA_TRY(next_key(reader, key));
        member.key = static_cast<int64_t>(std::min<uint64_t>(key, INT64_MAX));
        if (member.key == last) return malformed(Detail::kCborOrder);
        const bool known = member.key == suit::kPayloadFetch || member.key == suit::kInstall ||
                           member.key == suit::kText;
        if (!known || member.key < last) return malformed(Detail::kEnvelopeMember);
        last = member.key;
        OTA_TRY(limited_bytes(reader, kMaxEnvelopePrefix, member.content, &member.with_head));
        (void)out.severed.push_back(member);  // at most three keys are known
        --members;
    }
    return {};
}

}  // namespace

Status parse_suit_prefix(Bytes start, SuitPrefix& out) {
    CborReader reader(start);
    out = SuitPrefix();
    const auto parse = [&]() -> Status {
        const Result<CborHead> tag = reader.head();
        if (!tag.ok()) return or_more(tag.status());
        const bool is_envelope =
            (*tag).type == CborType::kTag && (*tag).value == suit::kTagEnvelope;
        if (!is_envelope) return malformed(Detail::kEnvelopeTag);
        const Result<CborHead> map = reader.head();
        if (!map.ok()) return or_more(map.status());
        const uint64_t members = (*map).value;
        if ((*map).type != CborType::kMap) return malformed(Detail::kCborType);
        if (members < 1 || members > 5 + kMaxPayloads) return malformed(Detail::kEnvelopeMember);
        OTA_TRY(parse_required(reader, out));
        if (members < 2) return malformed(Detail::kEnvelopeMember);
        out.payloads = static_cast<size_t>(members) - 2;
        OTA_TRY(parse_severed(reader, out.payloads, out));
        if (out.payloads > kMaxPayloads) return malformed(Detail::kEnvelopeMember);
        out.size = reader.position();
        out.whole = start.first(out.size);
        return {};
    };
    const Status status = parse();
    const bool too_large = status.is(Code::kTryAgain)
                               ? start.size() >= kMaxEnvelopePrefix
                               : status.ok() && out.size > kMaxEnvelopePrefix;
    return too_large ? malformed(Detail::kPrefixTooLarge) : status;
}

void SuitPayloadReader::begin(size_t payloads) {
    payloads_ = payloads;
    head_size_ = 0;
    left_ = length_ = 0;
    stage_ = payloads == 0 ? Stage::kDone : Stage::kHead;
}

// Byte by byte: a head may be cut anywhere, and is shorter than 30 bytes.
Result<size_t> SuitPayloadReader::feed_head(Bytes bytes) {
    if (stage_ == Stage::kDone && !bytes.empty()) return malformed(Detail::kTrailingBytes);
    size_t taken = 0;
    while (stage_ == Stage::kHead && taken < bytes.size()) {
        if (head_size_ == head_.size()) return malformed(Detail::kEnvelopeMember);
        head_[head_size_++] = bytes[taken++];
        CborReader reader(Bytes(head_).first(head_size_));
        const Result<std::string_view> key = reader.text();
        if (!key.ok() && key.status().detail() == Detail::kCborTruncated) continue;
        if (!key.ok()) return key.status();
        if ((*key).size() > kMaxKey) return malformed(Detail::kEnvelopeMember);
        const Result<CborHead> length = reader.head();
        if (!length.ok() && length.status().detail() == Detail::kCborTruncated) continue;
        if (!length.ok()) return length.status();
        if ((*length).type != CborType::kBytes) return malformed(Detail::kCborType);
        if ((*length).value > UINT32_MAX) return malformed(Detail::kImageSize);
        key_.assign(*key);
        length_ = left_ = (*length).value;
        stage_ = Stage::kPayload;
        advance(0);  // an empty one is over at once
    }
    return taken;
}

void SuitPayloadReader::advance(uint64_t bytes) {
    OTA_ASSERT(bytes <= left_);
    left_ -= bytes;
    if (left_ != 0) return;
    head_size_ = 0;
    stage_ = --payloads_ == 0 ? Stage::kDone : Stage::kHead;
}

}  // namespace ota
