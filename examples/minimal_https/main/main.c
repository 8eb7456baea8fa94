/* The least that a controller does: a battery to ask, a server to look at, a key to trust. */
#include <stdlib.h>

#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_netif_sntp.h"
#include "nvs_flash.h"
#include "ota_manager.h"
#include "protocol_examples_common.h"

static const char *TAG = "minimal_https";

/* otactl keygen release.pem update_key.pub.pem */
extern const char update_key_start[] asm("_binary_update_key_pub_pem_start");

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
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    /* Certificates are judged by the time of day. */
    const esp_sntp_config_t sntp = ESP_NETIF_SNTP_DEFAULT_CONFIG("pool.ntp.org");
    ESP_ERROR_CHECK(esp_netif_sntp_init(&sntp));

    const ota_manager_config_t config = {
        .source = OTA_SOURCE_HTTPS,
        .config.https = { .url = "https://firmware.example.com/bess/latest.suit" },
        .check_interval_ms = 24 * 60 * 60 * 1000,
        .automatic_update = true,
        .public_key_pem = update_key_start,
        .suit_vendor_id = "6123c3a3-abe9-5b3d-8121-9821f5801081", /* otactl uuid */
        .suit_class_id = "e335cddd-9ee6-5fe3-ab4c-abec10f4215a",
        .event_cb = on_event,
    };
    if (ota_manager_init(&config) != ESP_OK) {
        ESP_LOGE(TAG, "%s", ota_manager_config_error());
        abort(); /* an image on trial is given up by this, and the previous one comes back */
    }
    ESP_ERROR_CHECK(ota_manager_set_battery_provider(read_battery, NULL));
    ESP_ERROR_CHECK(ota_manager_start());
}
