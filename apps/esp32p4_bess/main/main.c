/* The reference firmware of a BESS controller: Ethernet, SD card, USB drive, battery, console, and updates over them. */
#include "console.h"
#include "esp_app_desc.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "network.h"
#include "nvs_flash.h"
#include "ota_manager.h"
#include "ota_manager_event.h"
#include "sd_card.h"
#include "sdkconfig.h"
#include "updates.h"
#include "usb_drive.h"

static const char *TAG = "bess";

/* Never on the way to the update: a controller without a network or a card goes on with the others. */
static void warn_if_not(esp_err_t error, const char *what)
{
    if (error != ESP_OK) {
        ESP_LOGW(TAG, "no %s: %s", what, esp_err_to_name(error));
    }
}

/* Where a product tells its display or its cloud; the log has it already. */
static void on_notice(void *unused, esp_event_base_t base, int32_t id, void *data)
{
    (void)unused, (void)base, (void)id;
    const ota_notice_info_t *notice = data;
    if (notice->notice == OTA_NOTICE_REVERTED) {
        ESP_LOGE(TAG, "the new firmware was given up: %s", ota_manager_revert_reason_to_string(notice->revert_reason));
    }
}

static bool is_on_trial(void)
{
    esp_ota_img_states_t state = ESP_OTA_IMG_UNDEFINED;
    return esp_ota_get_state_partition(esp_ota_get_running_partition(), &state) == ESP_OK &&
           state == ESP_OTA_IMG_PENDING_VERIFY;
}

void app_main(void)
{
    ESP_LOGI(TAG, "version %s", esp_app_get_description()->version);
    /* Never erased here: after a revert an older firmware reads what a newer one wrote. */
    warn_if_not(nvs_flash_init(), "settings");
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(esp_event_handler_register(OTA_MANAGER_EVENT, OTA_MANAGER_EVENT_NOTICE, on_notice, NULL));
    warn_if_not(console_start(), "console");
    warn_if_not(network_start(), "network");
    const esp_err_t started = updates_start();
    warn_if_not(started, "updates");
    /* A new firmware that can't even look after itself is not kept: the bootloader goes back. */
    if (started != ESP_OK && is_on_trial()) {
        esp_restart();
    }
#if CONFIG_OTA_MANAGER_SOURCE_SD_CARD || CONFIG_OTA_MANAGER_LOG_SD_CARD
    warn_if_not(sd_card_start(), "SD card");
#endif
#if CONFIG_OTA_MANAGER_SOURCE_USB_DRIVE
    warn_if_not(usb_drive_start(), "USB drive");
#endif
}
