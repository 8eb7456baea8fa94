#pragma once
#include <stdbool.h>

#include "sdmmc_cmd.h"
typedef struct {
    bool format_if_mount_failed;
    int max_files;
    bool disk_status_check_enable;
} esp_vfs_fat_sdmmc_mount_config_t;
typedef esp_vfs_fat_sdmmc_mount_config_t esp_vfs_fat_mount_config_t;
esp_err_t esp_vfs_fat_sdmmc_mount(const char* base_path, const void* host_config,
                                  const void* slot_config,
                                  const esp_vfs_fat_sdmmc_mount_config_t* mount_config,
                                  sdmmc_card_t** out_card);
esp_err_t esp_vfs_fat_sdcard_unmount(const char* base_path, sdmmc_card_t* card);
