#pragma once

#include <CLI/CLI.hpp>

namespace otactl {

// otactl push, identify, modules.
void add_push(CLI::App& app);
void add_identify(CLI::App& app);
void add_modules(CLI::App& app);

}  // namespace otactl
