// What a source's configuration, and that of the module boards, may say.
#pragma once

#include "ota_manager_types.h"

namespace ota {

// The first rule that it breaks, as "field: rule"; null when it breaks none.
const char* check_source(ota_source_t source, const ota_source_config_t& config);
const char* check_modules(const ota_modules_config_t& config);

// Is this source part of the build?
bool is_supported(ota_source_t source);

}  // namespace ota
