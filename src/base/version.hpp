// Semantic versions (semver.org 2.0.0): parsing and precedence.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include "base/status.hpp"

namespace ota {

// A view of a version text; the text must outlive it. Build metadata (+…) is accepted and ignored.
struct Version {
    uint32_t major = 0;
    uint32_t minor = 0;
    uint32_t patch = 0;
    std::string_view prerelease;  // without the hyphen; empty for a release
};

// Accepts an optional leading "v", then MAJOR.MINOR.PATCH[-PRERELEASE][+BUILD]; a number has at
// most 9 digits and no leading zero. Otherwise kIncompatible / kVersionFormat.
Status parse_version(std::string_view text, Version& out);

// Precedence by semver 2.0.0 section 11: a pre-release is older than its release.
std::strong_ordering compare_versions(const Version& a, const Version& b);

}  // namespace ota
