// The one place where inner findings become the specification's values and esp_err_t.
#pragma once

#include "ota_manager_types.h"
#include "ports/events.hpp"

namespace ota {

// The specification's error for a finding of the engine. ok gives OTA_ERR_NONE.
ota_error_t to_ota_error(Status status);

// What a C function returns for it.
esp_err_t to_esp_err(Status status);

}  // namespace ota
