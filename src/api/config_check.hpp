#pragma once

#include "engine/settings.hpp"
#include "ota_manager_types.h"

namespace ota {

// The first rule that a configuration breaks, as "field: rule"; null when it breaks none.
const char* check_config(const ota_manager_config_t& config);
const char* check_thresholds(int min_soc, float max_temperature, float min_temperature,
                             float max_current);

// May this build accept images without a signature? Decided by the file that it links
// (OTA_ALLOW_UNSIGNED).
bool unsigned_is_allowed();

// Every numeric 0 replaced by its default.
ota_manager_config_t with_defaults(const ota_manager_config_t& config);

// Defaults filled in, floats converted to milli-units. In the caller's context: a task that touches
// float is pinned to its core for good on ESP-IDF. config passed check_config.
Settings to_settings(const ota_manager_config_t& config);
SafetyThresholds to_thresholds(int min_soc, float max_temperature, float min_temperature,
                               float max_current);

}  // namespace ota
