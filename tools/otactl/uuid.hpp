#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace otactl {

// A UUID as text (8-4-4-4-12), or made from a name: RFC 9562 5.5.
using Uuid = std::array<uint8_t, 16>;
Uuid vendor_uuid(const std::string& domain);
Uuid class_uuid(const Uuid& vendor, const std::string& name);
Uuid parse_uuid(const std::string& text);
std::string uuid_text(const Uuid& id);

}  // namespace otactl
