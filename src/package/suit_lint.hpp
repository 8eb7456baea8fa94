#pragma once

#include "package/suit_manifest.hpp"

namespace ota {

// What this device takes of a parameter (docs/package-format.md).
inline constexpr size_t kMaxUriParameter = 256;
inline constexpr size_t kMaxContent = 512;

// Where a sequence of commands stands.
struct SuitLintPlace {
    int64_t section = 0;  // suit::kSharedSequence or a section's key
    size_t components = 0;
    int depth = 0;
};

// The first pass over a sequence: every command, parameter and argument has to be one that the
// processor knows, in its place, whether or not it will be reached.
Status lint_sequence(Bytes sequence, const SuitLintPlace& place);

}  // namespace ota
