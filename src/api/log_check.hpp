// What the configuration of the log may say.
#pragma once

#include "ota_manager_types.h"

namespace ota {

// The first rule that it breaks, as "field: rule"; null when it breaks none.
const char* check_log(const ota_log_config_t& config);
bool is_log_level(ota_log_level_t level);

}  // namespace ota
