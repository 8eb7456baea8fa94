/* What the BMS said last. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ota_manager.h"

/* Whoever reads the BMS (over CAN or Modbus) tells here, each time. Any task; not from interrupts. */
void battery_report(int32_t soc_percent, int32_t t_min_millicelsius, int32_t t_max_millicelsius,
                    int32_t current_milliampere);

/* The manager's battery provider. False until the BMS has spoken; its age says how long ago that was. */
bool battery_read(ota_battery_reading_t *reading, void *user);

/* Health probe: a new image that does not hear the BMS within the trial is given up. */
ota_health_t battery_probe(void *user);

/* On a bench (CONFIG_BESS_BENCH): the same reading each second from now on. */
void battery_pretend(int32_t soc_percent, int32_t t_min_millicelsius, int32_t t_max_millicelsius,
                     int32_t current_milliampere);
