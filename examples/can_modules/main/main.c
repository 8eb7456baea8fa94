/* A controller on a CAN bus: a tester brings its updates by UDS, and it brings those of twelve module boards to them. */
#include <stdlib.h>

#include "esp_err.h"
#include "esp_log.h"
#include "nvs_flash.h"
#include "ota_manager.h"

static const char *TAG = "can_modules";

/* otactl keygen release.pem update_key.pub.pem */
extern const char update_key_start[] asm("_binary_update_key_pub_pem_start");

/* GPIO 4 and 5 lead to the transceiver. The controller behind them is the manager's own: the BMS speaks on another one. */
static const char BUS[] = "twai:4,5";

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
    const ota_manager_config_t config = {
        .source = OTA_SOURCE_CANBUS,
        .config.canbus = { .interface = BUS, .bitrate = 500000 },
        .public_key_pem = update_key_start,
        .suit_vendor_id = "6123c3a3-abe9-5b3d-8121-9821f5801081", /* otactl uuid */
        .suit_class_id = "e335cddd-9ee6-5fe3-ab4c-abec10f4215a",
        .event_cb = on_event,
    };
    const ota_modules_config_t boards = {
        .count = 12,
        .first_address = 0x21,
        .hardware = "BMS-16K", /* what a board's hardware number has to begin with */
        .quorum = 10,          /* two may be out of order */
        .interface = BUS,
        .bitrate = 500000,
    };
    if (ota_manager_init(&config) != ESP_OK || ota_manager_set_modules(&boards) != ESP_OK) {
        ESP_LOGE(TAG, "%s", ota_manager_config_error());
        abort(); /* an image on trial is given up by this, and the previous one comes back */
    }
    ESP_ERROR_CHECK(ota_manager_set_battery_provider(read_battery, NULL));
    ESP_ERROR_CHECK(ota_manager_start());
}
