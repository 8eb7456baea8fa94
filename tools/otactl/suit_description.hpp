#pragma once

#include "suit_pack.hpp"

namespace otactl {

// A settings document as a package carries it: a JSON object without blanks.
Buffer settings_of(const Buffer& text);

// A plan from a description in JSON (docs/package-format.md, "Making packages"); file names are
// relative to folder. What it does not know, or is out of range, is a Failure that names the field.
PackPlan plan_from_json(const std::string& text, const std::string& folder);

}  // namespace otactl
