// app_update is not built for the linux target; this much of it the adapters ask for.
#pragma once

#include "esp_partition.h"

#ifdef __cplusplus
extern "C" {
#endif

const esp_partition_t* esp_ota_get_running_partition(void);

#ifdef __cplusplus
}
#endif
