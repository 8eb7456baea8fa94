// The one place where inner findings become the specification's values and esp_err_t.
#pragma once

#include "ota_manager_types.h"
#include "ports/events.hpp"

namespace ota {

// The specification's error for a finding of the engine. ok gives OTA_ERR_NONE.
ota_error_t to_ota_error(Status status);

// The latest attempt as the C API tells it.
ota_attempt_t to_report(const AttemptRecord& attempt);

// What a C function returns for it.
esp_err_t to_esp_err(Status status);

}  // namespace ota
