#pragma once
#include "esp_err.h"
typedef struct sdmmc_card sdmmc_card_t;
esp_err_t sdmmc_get_status(sdmmc_card_t* card);
