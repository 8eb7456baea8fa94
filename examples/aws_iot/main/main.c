/* A thing of AWS IoT: it gets its certificate at its first start, and updates itself by jobs from then on. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "esp_event.h"
#include "esp_log.h"
#include "esp_mac.h"
#include "esp_netif.h"
#include "esp_netif_sntp.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "ota_manager.h"
#include "protocol_examples_common.h"

static const char *TAG = "aws_iot";

/* aws iot describe-endpoint --endpoint-type iot:Data-ATS */
static const char ENDPOINT[] = "a1-ats.iot.eu-central-1.amazonaws.com";

/* otactl keygen release.pem update_key.pub.pem */
extern const char update_key_start[] asm("_binary_update_key_pub_pem_start");
/* The claim: the same in every unit, and good for nothing but asking for a certificate. */
extern const char claim_certificate_start[] asm("_binary_claim_crt_start");
extern const char claim_key_start[] asm("_binary_claim_key_start");

static const char *key_of(ota_identity_place_t place)
{
    return place == OTA_IDENTITY_PENDING ? "pending" : "current";
}

/* A blob of NVS is there as a whole or not at all, whenever the power goes. */
static esp_err_t load(ota_identity_place_t place, void *data, size_t capacity, size_t *size, void *user)
{
    const nvs_handle_t store = *(nvs_handle_t *)user;
    *size = capacity;
    const esp_err_t error = nvs_get_blob(store, key_of(place), data, size);
    if (error != ESP_OK) {
        *size = 0;
    }
    return error == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : error;
}

static esp_err_t save(ota_identity_place_t place, const void *data, size_t size, void *user)
{
    const nvs_handle_t store = *(nvs_handle_t *)user;
    const esp_err_t error = size == 0 ? nvs_erase_key(store, key_of(place)) : nvs_set_blob(store, key_of(place), data, size);
    return error == ESP_OK ? nvs_commit(store) : error == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : error;
}

/* Until there is one: as a rule a unit without a certificate was never updated, so none of its firmwares is on trial. One
 * that is (its NVS is broken) is given up by the next reset. */
static void find_identity(ota_identity_t *identity)
{
    static nvs_handle_t store;
    char serial[16];
    uint8_t mac[6];
    ESP_ERROR_CHECK(nvs_open("ota_identity", NVS_READWRITE, &store));
    ESP_ERROR_CHECK(esp_efuse_mac_get_default(mac));
    (void)snprintf(serial, sizeof serial, "%02x%02x%02x%02x%02x%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    const ota_provisioning_config_t config = {
        .endpoint = ENDPOINT,
        .claim_cert_pem = claim_certificate_start,
        .claim_key_pem = claim_key_start,
        .template_name = "bess",
        .serial_number = serial,
        .load = load,
        .save = save,
        .user_data = &store,
    };
    for (uint32_t pause_s = 30; ota_manager_provision(&config, identity) != ESP_OK;) {
        ESP_LOGW(TAG, "no certificate yet: %s; again in %" PRIu32 " s", ota_manager_config_error(), pause_s);
        vTaskDelay(pdMS_TO_TICKS(pause_s * 1000));
        pause_s = pause_s < 3600 ? pause_s * 2 : pause_s;
    }
    ESP_LOGI(TAG, "this is %s", identity->thing_name);
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

static void start_network(void)
{
    /* Certificates are judged by the time of day. */
    const esp_sntp_config_t sntp = ESP_NETIF_SNTP_DEFAULT_CONFIG("pool.ntp.org");
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    ESP_ERROR_CHECK(esp_netif_sntp_init(&sntp));
    if (esp_netif_sntp_sync_wait(pdMS_TO_TICKS(30000)) != ESP_OK) {
        ESP_LOGW(TAG, "no time of day yet");
    }
}

void app_main(void)
{
    static ota_identity_t identity; /* stays while the manager runs */
    ESP_ERROR_CHECK(nvs_flash_init());
    start_network();
    find_identity(&identity);
    const ota_manager_config_t config = {
        .source = OTA_SOURCE_AWS_IOT,
        .config.aws_iot = {
            .endpoint = ENDPOINT,
            .thing_name = identity.thing_name,
            .device_cert_pem = identity.certificate_pem,
            .device_key_pem = identity.key_pem,
            .shadow = true, /* settings from the cloud */
        },
        .automatic_update = true, /* whoever makes a job has decided */
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
