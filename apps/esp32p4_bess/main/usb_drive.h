/* A USB drive at /usb, whenever there is one. */
#pragma once

#include "esp_err.h"

/* Starts the USB host, and the task that mounts a drive when it comes and lets go of it when it is gone. */
esp_err_t usb_drive_start(void);
