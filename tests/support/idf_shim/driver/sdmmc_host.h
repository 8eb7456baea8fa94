#pragma once
#include "sd_pwr_ctrl_by_on_chip_ldo.h"
typedef struct {
    int slot;
    int max_freq_khz;
    sd_pwr_ctrl_handle_t pwr_ctrl_handle;
} sdmmc_host_t;
typedef struct {
    unsigned char width;
} sdmmc_slot_config_t;
#define SDMMC_HOST_SLOT_0 0
#define SDMMC_FREQ_HIGHSPEED 40000
#define SDMMC_HOST_DEFAULT() \
    { .slot = 1, .max_freq_khz = 20000 }
#define SDMMC_SLOT_CONFIG_DEFAULT() \
    { .width = 0 }
