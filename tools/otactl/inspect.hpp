#pragma once

#include <nlohmann/json.hpp>

#include "files.hpp"

namespace otactl {

using Json = nlohmann::ordered_json;

// What a file is and says: image, flash file, partition table, otadata or journal, told apart by
// its contents. Failure kMalformed when it is none of them.
Json inspect(const Buffer& file);

// For machines; bytes that are no UTF-8 are replaced.
std::string to_json(const Json& tree);

// The same as an indented tree.
std::string to_text(const Json& tree);

}  // namespace otactl
