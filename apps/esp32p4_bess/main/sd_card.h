/* The SD card at /sdcard, whenever there is one. */
#pragma once

#include "esp_err.h"

/* Starts the task that mounts a card when it comes and lets go of it when it is gone. */
esp_err_t sd_card_start(void);
