/* Updates from an SD card that is in when the controller starts. */
#include <stdlib.h>

#include "driver/sdmmc_host.h"
#include "esp_err.h"
#include "esp_log.h"
#include "esp_vfs_fat.h"
#include "nvs_flash.h"
#include "ota_manager.h"
#include "sd_pwr_ctrl_by_on_chip_ldo.h"
#include "sdmmc_cmd.h"

static const char *TAG = "sd_card";

/* otactl keygen release.pem update_key.pub.pem */
extern const char update_key_start[] asm("_binary_update_key_pub_pem_start");

/* Slot 0 has its own pins; its drivers are fed by the chip's LDO 4 on the ESP32-P4-Function-EV-Board. */
static esp_err_t mount_card(void)
{
    static const sd_pwr_ctrl_ldo_config_t ldo = { .ldo_chan_id = 4 };
    static const esp_vfs_fat_sdmmc_mount_config_t mount = { .max_files = 4, .disk_status_check_enable = true };
    sdmmc_host_t host = SDMMC_HOST_DEFAULT();
    sdmmc_slot_config_t slot = SDMMC_SLOT_CONFIG_DEFAULT();
    sdmmc_card_t *card = NULL;
    slot.width = 4; /* the default takes eight lines, four of which are other pins' */
    host.slot = SDMMC_HOST_SLOT_0;
    host.max_freq_khz = SDMMC_FREQ_HIGHSPEED;
    const esp_err_t powered = sd_pwr_ctrl_new_on_chip_ldo(&ldo, &host.pwr_ctrl_handle);
    return powered != ESP_OK ? powered : esp_vfs_fat_sdmmc_mount("/sdcard", &host, &slot, &mount, &card);
}

/* Here stands what the BMS says; without an answer no update is made. */
static bool read_battery(ota_battery_reading_t *reading, void *user)
{
    (void)user;
    reading->soc_percent = 80;
    reading->t_min_millicelsius = 18000;
    reading->t_max_millicelsius = 24000;
    reading->current_milliampere = 0;
    reading->age_ms = 0;
    return true;
}

static void on_event(ota_status_t status, ota_error_t error, void *user)
{
    (void)user;
    ESP_LOGI(TAG, "%s%s%s", ota_manager_status_to_string(status), error == OTA_ERR_NONE ? "" : ": ",
             error == OTA_ERR_NONE ? "" : ota_manager_error_to_string(error));
}

void app_main(void)
{
    ESP_ERROR_CHECK(nvs_flash_init());
    const esp_err_t mounted = mount_card();
    if (mounted != ESP_OK) {
        ESP_LOGW(TAG, "no card: %s", esp_err_to_name(mounted)); /* the next start may find one */
    }
    const ota_manager_config_t config = {
        .source = OTA_SOURCE_SD_CARD,
        .config.sd_card = { .filepath = "/sdcard/bess_*.bin" }, /* the last by name first */
        .check_interval_ms = 60 * 1000,
        .automatic_update = true,
        .verify_signature = true,
        .public_key_pem = update_key_start,
        .event_cb = on_event,
    };
    if (ota_manager_init(&config) != ESP_OK) {
        ESP_LOGE(TAG, "%s", ota_manager_config_error());
        abort(); /* an image on trial is given up by this, and the previous one comes back */
    }
    ESP_ERROR_CHECK(ota_manager_set_battery_provider(read_battery, NULL));
    ESP_ERROR_CHECK(ota_manager_start());
}
