#pragma once
#include "esp_vfs_fat.h"
#include "usb/msc_host.h"
typedef struct msc_host_vfs* msc_host_vfs_handle_t;
esp_err_t msc_host_vfs_register(msc_host_device_handle_t device, const char* base_path,
                                const esp_vfs_fat_mount_config_t* mount_config,
                                msc_host_vfs_handle_t* vfs_handle);
esp_err_t msc_host_vfs_unregister(msc_host_vfs_handle_t vfs_handle);
