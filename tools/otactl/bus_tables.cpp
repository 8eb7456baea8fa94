#include "bus_tables.hpp"

#include <fmt/format.h>

#include <iterator>

#include "base/status_text.hpp"
#include "sources/modbus/register_map.hpp"

namespace otactl {
namespace {

// What CMD_RESULT and DETAIL mean.
void print_details() {
    constexpr const char* kErrors[] = {"none",
                                       "no updates",
                                       "connectivity",
                                       "server",
                                       "authentication",
                                       "insufficient space",
                                       "validation failed",
                                       "flash write",
                                       "incompatible version",
                                       "battery low",
                                       "battery unsafe",
                                       "internal"};
    fmt::print("\n| ERROR | Class |\n|---|---|\n");
    for (size_t i = 0; i < std::size(kErrors); ++i) fmt::print("| {} | {} |\n", i, kErrors[i]);
    fmt::print("\n| DETAIL | Finding |\n|---|---|\n");
    for (uint16_t i = 1; i < static_cast<uint16_t>(ota::Detail::kCount_); ++i) {
        fmt::print("| {} | {} |\n", i, ota::detail_text(static_cast<ota::Detail>(i)));
    }
}

}  // namespace

void print_modbus_map() {
    fmt::print("| Base + | Name | R/W | Content |\n|---|---|---|---|\n");
    for (const ota::modbus::Field& field : ota::modbus::kFields) {
        const std::string at = field.count == 1
                                   ? fmt::format("{}", field.at)
                                   : fmt::format("{} to {}", field.at, field.at + field.count - 1);
        fmt::print("| {} | {} | {} | {} |\n", at, field.name, field.access, field.content);
    }
    print_details();
}

}  // namespace otactl
