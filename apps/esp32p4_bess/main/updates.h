/* The update manager, with every source that menuconfig has chosen. */
#pragma once

#include <stdbool.h>

#include "esp_err.h"

/* Starts it; later it is asked for the thing's certificate once an hour, where AWS IoT is chosen and there is none yet.
 * An error: nothing will be updated, and a new firmware on trial is not kept. */
esp_err_t updates_start(void);

/* A file system must not go while the manager looks at it: it is stopped, action is called, it is started again; only
 * when it has nothing in hand and no new firmware on trial. False: not now. */
bool updates_pause_for(void (*action)(void *), void *what);
