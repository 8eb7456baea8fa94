/* Commands on the serial console: ota, bms. */
#pragma once

#include "esp_err.h"

esp_err_t console_start(void);
