/* The update manager, with every source that menuconfig has chosen. */
#pragma once

#include <stdbool.h>

#include "esp_err.h"

/* Starts it, and a task that starts it again where that failed; with AWS IoT and without a certificate that task also
 * asks for one, after half a minute and then once an hour. An error: nothing will be updated for now, and a new firmware
 * on trial is not to be kept. The others below are for afterwards. */
esp_err_t updates_start(void);

/* Around each mount: FatFs gives two that are mounted at once the same drive. */
void updates_lock(void);
void updates_unlock(void);

/* A file system must not go while the manager looks at it: it is stopped, action is called, it is started again; only
 * when it has nothing in hand and no new firmware on trial. False: not now. */
bool updates_pause_for(void (*action)(void *), void *what);
