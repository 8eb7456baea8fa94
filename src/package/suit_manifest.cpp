#include "package/suit_manifest.hpp"

#include "package/suit_lint.hpp"
#include "wire/sha256.hpp"
#include "wire/suit_auth.hpp"

namespace ota {
namespace {

using suit::Member;

constexpr std::array<Member, 4> kSections = {suit::kPayloadFetch, suit::kInstall, suit::kValidate,
                                             suit::kInvoke};
constexpr size_t kMaxVersionParts = 8;

constexpr Status malformed(Detail detail) {
    return {Code::kMalformed, Origin::kPackage, detail};
}

Status check_digest(Bytes bytes, Bytes digest, Detail otherwise) {
    Digest own;
    OTA_TRY(sha256(bytes, own));
    return equal_constant_time(own, digest) ? kOkStatus
                                            : Status{Code::kUntrusted, Origin::kPackage, otherwise};
}

bool segment_is(Bytes segment, std::string_view name) {
    const Bytes wanted = as_bytes(name);
    return std::equal(segment.begin(), segment.end(), wanted.begin(), wanted.end());
}

// The component identifiers of the profile; beside them ['bms', h'01'] and so on.
struct ComponentName {
    std::string_view first;
    std::string_view second;
    ComponentKind kind;
};
constexpr std::array<ComponentName, 5> kComponentNames = {{
    {"app", "", ComponentKind::kApp},
    {"app", "run", ComponentKind::kAppRunning},
    {"cfg", "", ComponentKind::kConfig},
    {"stage", "", ComponentKind::kStage},
    {"settings", "", ComponentKind::kSettings},
}};

Status parse_component(CborReader& reader, ComponentRef& out) {
    constexpr Status kUnknown{Code::kIncompatible, Origin::kPackage, Detail::kComponentUnknown};
    OTA_TRY_ASSIGN(const size_t segments, reader.array());
    if (segments < 1 || segments > 2) return kUnknown;
    OTA_TRY_ASSIGN(const Bytes first, reader.bytes());
    Bytes second;
    if (segments == 2) {
        OTA_TRY_ASSIGN(second, reader.bytes());
    }
    if (segment_is(first, "bms") && second.size() == 1 && second[0] != 0) {
        out = {ComponentKind::kModule, second[0]};
        return {};
    }
    for (const ComponentName& name : kComponentNames) {
        const bool same_length = (segments == 2) == !name.second.empty();
        if (!same_length || !segment_is(first, name.first) || !segment_is(second, name.second)) {
            continue;
        }
        out = {name.kind, 0};
        return {};
    }
    return kUnknown;
}

// [+int]: the parts of a version.
Status check_version(Bytes version) {
    CborReader reader(version);
    OTA_TRY_ASSIGN(const size_t parts, reader.array());
    if (parts == 0 || parts > kMaxVersionParts) return malformed(Detail::kCborForm);
    for (size_t i = 0; i < parts; ++i) OTA_TRY(reader.number().status());
    return reader.at_end() ? kOkStatus : malformed(Detail::kTrailingBytes);
}

// kSections.size() when it is none. (A loop: std::find is unrolled, which costs flash.)
size_t section_index(int64_t key) {
    size_t i = 0;
    while (i < kSections.size() && kSections[i] != key) ++i;
    return i;
}

}  // namespace

Status next_command(CborReader& reader, SuitCommand& out) {
    OTA_TRY_ASSIGN(out.code, reader.number());
    OTA_TRY_ASSIGN(out.argument, reader.item());
    return {};
}

Bytes SuitManifest::section(Member key) const {
    const size_t index = section_index(key);
    return index < sections_.size() ? sections_[index] : Bytes();
}

Status SuitManifest::parse(const SuitPrefix& prefix, Bytes digest) {
    OTA_TRY(check_digest(prefix.manifest_with_head, digest, Detail::kManifestDigest));
    *this = SuitManifest();
    buffer_ = prefix.whole;
    std::copy(digest.begin(), digest.end(), digest_.begin());
    OTA_TRY(parse_members(prefix));
    return lint_all();
}

Status SuitManifest::parse_members(const SuitPrefix& prefix) {
    CborReader reader(prefix.manifest);
    OTA_TRY_ASSIGN(const size_t members, reader.map());
    CborKeyOrder order;
    uint32_t seen = 0;
    for (size_t i = 0; i < members; ++i) {
        OTA_TRY_ASSIGN(const int64_t key, reader.number());
        OTA_TRY(order.next(key));
        OTA_TRY(parse_member(key, reader, prefix));
        seen |= 1U << (static_cast<uint32_t>(key) & 31);
    }
    if (!reader.at_end()) return malformed(Detail::kTrailingBytes);
    // Nothing comes along that nobody signed.
    if (claimed_ != prefix.severed.size()) return malformed(Detail::kEnvelopeMember);
    constexpr uint32_t kRequired =
        1U << suit::kVersion | 1U << suit::kSequenceNumber | 1U << suit::kCommon;
    return (seen & kRequired) == kRequired ? kOkStatus : malformed(Detail::kManifestMember);
}

Status SuitManifest::parse_member(int64_t key, CborReader& reader, const SuitPrefix& prefix) {
    switch (key) {
        case suit::kVersion: {
            OTA_TRY_ASSIGN(const uint64_t version, reader.unsigned_number());
            return version == suit::kManifestVersion ? kOkStatus
                                                     : malformed(Detail::kManifestVersion);
        }
        case suit::kSequenceNumber: {
            OTA_TRY_ASSIGN(sequence_number_, reader.unsigned_number());
            return sequence_number_ <= static_cast<uint64_t>(INT64_MAX)
                       ? kOkStatus
                       : malformed(Detail::kCborForm);
        }
        case suit::kCommon: {
            OTA_TRY_ASSIGN(const Bytes common, reader.bytes());
            return parse_common(common);
        }
        case suit::kReferenceUri:
            return reader.text().status();
        case suit::kSetVersion: {
            OTA_TRY_ASSIGN(version_, reader.bytes());
            return check_version(version_);
        }
        case suit::kText:
            return parse_text(reader, prefix);
        default:
            break;
    }
    if (section_index(key) == sections_.size()) {
        return {Code::kIncompatible, Origin::kPackage, Detail::kManifestMember};
    }
    return parse_section(key, reader, prefix);
}

Status SuitManifest::parse_common(Bytes common) {
    CborReader reader(common);
    OTA_TRY_ASSIGN(const size_t members, reader.map());
    CborKeyOrder order;
    for (size_t i = 0; i < members; ++i) {
        OTA_TRY_ASSIGN(const int64_t key, reader.number());
        OTA_TRY(order.next(key));
        if (key == suit::kComponents) {
            OTA_TRY(parse_components(reader));
        } else if (key == suit::kSharedSequence) {
            OTA_TRY_ASSIGN(shared_, reader.bytes());
        } else {  // dependencies, too: one trust domain
            return {Code::kIncompatible, Origin::kPackage, Detail::kManifestMember};
        }
    }
    if (!reader.at_end()) return malformed(Detail::kTrailingBytes);
    const bool whole = !components_.empty() && !shared_.empty();
    return whole ? kOkStatus : malformed(Detail::kManifestMember);
}

Status SuitManifest::parse_components(CborReader& reader) {
    OTA_TRY_ASSIGN(const size_t count, reader.array());
    if (count == 0 || count > kMaxComponents) return malformed(Detail::kComponentIndex);
    for (size_t i = 0; i < count; ++i) {
        ComponentRef component;
        OTA_TRY(parse_component(reader, component));
        for (const ComponentRef& other : components_) {
            if (other == component) return malformed(Detail::kComponentIndex);
        }
        (void)components_.push_back(component);
    }
    return {};
}

// For people. What travels beside the manifest has to be the signed one all the same.
Status SuitManifest::parse_text(CborReader& reader, const SuitPrefix& prefix) {
    OTA_TRY_ASSIGN(const CborType type, reader.peek());
    OTA_TRY_ASSIGN(const Bytes item, reader.item());
    if (type != CborType::kArray) return {};
    OTA_TRY_ASSIGN(const Bytes digest, parse_suit_digest(item));
    for (const SeveredMember& member : prefix.severed) {
        if (member.key != suit::kText) continue;
        ++claimed_;
        return check_digest(member.with_head, digest, Detail::kSeveredDigest);
    }
    return {};
}

// A section, or the digest of one that travels beside the manifest.
Status SuitManifest::parse_section(int64_t key, CborReader& reader, const SuitPrefix& prefix) {
    Bytes& section = sections_[section_index(key)];
    OTA_TRY_ASSIGN(const CborType type, reader.peek());
    if (type == CborType::kBytes) {
        OTA_TRY_ASSIGN(section, reader.bytes());
        return {};
    }
    if (key != suit::kPayloadFetch && key != suit::kInstall) return malformed(Detail::kCborType);
    OTA_TRY_ASSIGN(const Bytes item, reader.item());
    OTA_TRY_ASSIGN(const Bytes digest, parse_suit_digest(item));
    for (const SeveredMember& member : prefix.severed) {
        if (member.key != key) continue;
        section = member.content;
        ++claimed_;
        return check_digest(member.with_head, digest, Detail::kSeveredDigest);
    }
    return malformed(Detail::kSeveredMissing);
}

Status SuitManifest::lint_all() const {
    const size_t components = components_.size();
    OTA_TRY(lint_sequence(shared_, {suit::kSharedSequence, components, 0}));
    for (size_t i = 0; i < sections_.size(); ++i) {
        if (sections_[i].empty()) continue;
        OTA_TRY(lint_sequence(sections_[i], {kSections[i], components, 0}));
    }
    return {};
}

}  // namespace ota
