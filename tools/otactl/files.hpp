#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "failure.hpp"

namespace otactl {

using Buffer = std::vector<uint8_t>;

// At most 256 MiB; anything larger is no file of ours.
Buffer read_file(const std::string& path);
std::string read_text(const std::string& path);
bool exists(const std::string& path);
// By way of a temporary file beside it, so that path is old or new, never half; devices and pipes
// are written directly. secret: mode 0600.
void write_file(const std::string& path, const Buffer& bytes, bool secret = false);

std::string to_hex(const uint8_t* bytes, size_t size);

}  // namespace otactl
