#include "sd_card.h"

#include "driver/sdmmc_host.h"
#include "esp_log.h"
#include "esp_vfs_fat.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "ota_manager.h"
#include "sd_pwr_ctrl_by_on_chip_ldo.h"
#include "sdkconfig.h"
#include "sdmmc_cmd.h"
#include "updates.h"

static const char *TAG = "sd_card";
static const TickType_t LOOK_AGAIN = pdMS_TO_TICKS(3000);
/* ota_manager_start() takes 2.2 KB of it. */
enum { WATCH_STACK = 6144 };

static sd_pwr_ctrl_handle_t power;

static sdmmc_card_t *mount_card(void)
{
    static const esp_vfs_fat_sdmmc_mount_config_t mount = { .max_files = 4, .disk_status_check_enable = true };
    sdmmc_host_t host = SDMMC_HOST_DEFAULT();
    sdmmc_slot_config_t slot = SDMMC_SLOT_CONFIG_DEFAULT();
    sdmmc_card_t *card = NULL;
    slot.width = 4; /* the default takes eight lines, four of which are other pins' */
    host.slot = SDMMC_HOST_SLOT_0;
    host.max_freq_khz = SDMMC_FREQ_HIGHSPEED;
    host.pwr_ctrl_handle = power;
    updates_lock();
    const esp_err_t error = esp_vfs_fat_sdmmc_mount(CONFIG_OTA_MANAGER_SD_MOUNT_POINT, &host, &slot, &mount, &card);
    updates_unlock();
    static esp_err_t told = ESP_OK;
    if (error != told && error != ESP_OK && error != ESP_ERR_TIMEOUT) {
        ESP_LOGW(TAG, "a card that can't be used (FAT32? not exFAT): %s", esp_err_to_name(error));
    }
    told = error;
    return error == ESP_OK ? card : NULL;
}

static void unmount_card(void *card)
{
    (void)esp_vfs_fat_sdcard_unmount(CONFIG_OTA_MANAGER_SD_MOUNT_POINT, card);
}

static void watch_card(void *unused)
{
    (void)unused;
    sdmmc_card_t *card = NULL;
    while (true) {
        if (card == NULL) {
            card = mount_card();
            if (card != NULL) {
                ESP_LOGI(TAG, "card in");
                (void)ota_manager_check_for_update(); /* refused while an update is in hand */
            }
        } else if (sdmmc_get_status(card) != ESP_OK && sdmmc_get_status(card) != ESP_OK &&
                   updates_pause_for(unmount_card, card)) {
            ESP_LOGI(TAG, "card out");
            card = NULL;
        }
        vTaskDelay(LOOK_AGAIN);
    }
}

esp_err_t sd_card_start(void)
{
    static const sd_pwr_ctrl_ldo_config_t ldo = { .ldo_chan_id = CONFIG_BESS_SD_LDO_CHANNEL };
    /* They would say every three seconds that there is no card. */
    esp_log_level_set("vfs_fat_sdmmc", ESP_LOG_NONE);
    esp_log_level_set("sdmmc_common", ESP_LOG_NONE);
    esp_log_level_set("sdmmc_init", ESP_LOG_NONE);
    const esp_err_t powered = sd_pwr_ctrl_new_on_chip_ldo(&ldo, &power);
    if (powered != ESP_OK) {
        return powered;
    }
    return xTaskCreate(watch_card, "sd_card", WATCH_STACK, NULL, 3, NULL) == pdPASS ? ESP_OK : ESP_ERR_NO_MEM;
}
