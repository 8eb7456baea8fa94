#include "verify/suit_admission.hpp"

#include <cstdio>

#include "base/version.hpp"
#include "wire/suit_labels.hpp"

namespace ota {
namespace {

constexpr size_t kMaxParts = 8;

using Parts = FixedVector<int64_t, kMaxParts>;

Status parse_parts(CborReader& reader, Parts& out) {
    OTA_TRY_ASSIGN(const size_t count, reader.array());
    for (size_t i = 0; i < count; ++i) {
        OTA_TRY_ASSIGN(const int64_t part, reader.number());
        if (!out.push_back(part)) return {Code::kMalformed, Origin::kVerify, Detail::kCborForm};
    }
    return {};
}

int64_t kind_of_prerelease(std::string_view text) {
    if (text.starts_with("rc")) return suit::kReleaseCandidate;
    return text.starts_with("beta") ? suit::kBeta : suit::kAlpha;
}

// The same list for a semantic version; a pre-release of another name counts as an alpha.
Status parts_of(std::string_view text, Parts& out) {
    Version version;
    OTA_TRY(parse_version(text, version));
    (void)out.push_back(version.major);
    (void)out.push_back(version.minor);
    (void)out.push_back(version.patch);
    if (version.prerelease.empty()) return {};
    (void)out.push_back(kind_of_prerelease(version.prerelease));
    int64_t number = 0;
    for (const char c : version.prerelease) {
        if (c >= '0' && c <= '9' && number < 100000000) number = number * 10 + (c - '0');
    }
    (void)out.push_back(number);
    return {};
}

// Up to where wanted ends: -1, 0, 1. A missing part of have is a release, which is more than any
// pre-release and less than any further number.
int compare(const Parts& have, const Parts& wanted) {
    for (size_t i = 0; i < wanted.size(); ++i) {
        const int64_t own = i < have.size() ? have[i] : 0;
        if (own != wanted[i]) return own < wanted[i] ? -1 : 1;
    }
    // [1,2,0] asked for, 1.2.0-rc.1 there: older than asked for.
    const bool prerelease = wanted.size() == 3 && have.size() > 3 && have[3] < 0;
    return prerelease ? -1 : 0;
}

}  // namespace

Status check_sequence(uint64_t sequence, const Digest& manifest, uint64_t highest,
                      const Digest& confirmed) {
    if (sequence > highest) return {};
    const bool same = sequence == highest && manifest == confirmed;
    if (same) return {Code::kNoUpdate, Origin::kVerify, Detail::kVersionSame};
    return {Code::kIncompatible, Origin::kVerify, Detail::kSequenceNumber};
}

Result<bool> version_matches(Bytes match, std::string_view running) {
    CborReader reader(match);
    OTA_TRY_ASSIGN(const size_t members, reader.array());
    if (members != 2) return Status{Code::kMalformed, Origin::kVerify, Detail::kCborForm};
    OTA_TRY_ASSIGN(const uint64_t comparison, reader.unsigned_number());
    Parts wanted;
    Parts have;
    OTA_TRY(parse_parts(reader, wanted));
    OTA_TRY(parts_of(running, have));
    const int order = compare(have, wanted);
    switch (comparison) {
        case suit::kGreater:
            return order > 0;
        case suit::kGreaterEqual:
            return order >= 0;
        case suit::kEqual:
            return order == 0;
        case suit::kLessEqual:
            return order <= 0;
        case suit::kLess:
            return order < 0;
        default:
            return Status{Code::kIncompatible, Origin::kVerify, Detail::kVersionCondition};
    }
}

Status version_text(Bytes version, VersionText& out) {
    out.clear();
    if (version.empty()) return {};
    CborReader reader(version);
    Parts parts;
    OTA_TRY(parse_parts(reader, parts));
    bool prerelease = false;
    for (const int64_t part : parts) {
        std::array<char, 24> text{};
        const char* dot = out.empty() ? "" : ".";
        if (part >= 0) {
            std::snprintf(text.data(), text.size(), "%s%lu", dot, static_cast<unsigned long>(part));
        } else {
            const char* name = part == suit::kReleaseCandidate ? "rc"
                               : part == suit::kBeta           ? "beta"
                                                               : "alpha";
            std::snprintf(text.data(), text.size(), "%s%s", prerelease ? "." : "-", name);
            prerelease = true;
        }
        out.append(text.data());
    }
    return {};
}

}  // namespace ota
