#pragma once

#include <CLI/CLI.hpp>

namespace otactl {

// otactl push, identify.
void add_push(CLI::App& app);
void add_identify(CLI::App& app);

}  // namespace otactl
