#pragma once

#include <CLI/CLI.hpp>

namespace otactl {

// otactl pack, sign, unpack, uuid.
void add_pack(CLI::App& app);
void add_package_sign(CLI::App& app);
void add_unpack(CLI::App& app);
void add_uuid(CLI::App& app);

}  // namespace otactl
