/* A controller whose plant talks Modbus to it: esp-modbus serves its measurements, and updates come by the same port. */
#include <stdlib.h>

#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "mbcontroller.h"
#include "nvs_flash.h"
#include "ota_handlers.h"
#include "ota_manager.h"
#include "protocol_examples_common.h"

static const char *TAG = "esp_modbus";

/* otactl keygen release.pem update_key.pub.pem */
extern const char update_key_start[] asm("_binary_update_key_pub_pem_start");

/* Registers 0 to 3: state of charge in %, coldest and hottest cell in 0.1 degrees, current in A. */
static uint16_t measurements[4] = { 80, 180, 240, 0 };

/* Here stands what the BMS says; without an answer no update is made. */
static bool read_battery(ota_battery_reading_t *reading, void *user)
{
    (void)user;
    reading->soc_percent = measurements[0];
    reading->t_min_millicelsius = measurements[1] * 100;
    reading->t_max_millicelsius = measurements[2] * 100;
    reading->current_milliampere = measurements[3] * 1000;
    reading->age_ms = 0;
    return true;
}

static void on_event(ota_status_t status, ota_error_t error, void *user)
{
    (void)user;
    ESP_LOGI(TAG, "%s%s%s", ota_manager_status_to_string(status), error == OTA_ERR_NONE ? "" : ": ",
             error == OTA_ERR_NONE ? "" : ota_manager_error_to_string(error));
}

static void *server;

static esp_err_t start_server(void)
{
    mb_communication_info_t place = { 0 };
    place.tcp_opts.mode = MB_TCP;
    place.tcp_opts.port = 502;
    place.tcp_opts.uid = 1;
    place.tcp_opts.addr_type = MB_IPV4;
    place.tcp_opts.ip_netif_ptr = get_example_netif();
    const mb_register_area_descriptor_t area = {
        .type = MB_PARAM_INPUT,
        .start_offset = 0,
        .address = measurements,
        .size = sizeof measurements,
        .access = MB_ACCESS_RO,
    };
    esp_err_t error = mbc_slave_create_tcp(&place, &server);
    if (error == ESP_OK) {
        error = mbc_slave_set_descriptor(server, area);
    }
    if (error == ESP_OK) {
        error = ota_handlers_add(server);
    }
    return error == ESP_OK ? mbc_slave_start(server) : error;
}

void app_main(void)
{
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    const ota_manager_config_t config = {
        .source = OTA_SOURCE_MODBUS,
        .config.modbus = { .shared = true }, /* the update block is at register 8000 */
        .public_key_pem = update_key_start,
        .event_cb = on_event,
    };
    if (ota_manager_init(&config) != ESP_OK) {
        ESP_LOGE(TAG, "%s", ota_manager_config_error());
        abort(); /* an image on trial is given up by this, and the previous one comes back */
    }
    ESP_ERROR_CHECK(ota_manager_set_battery_provider(read_battery, NULL));
    ESP_ERROR_CHECK(ota_manager_start());
    ESP_ERROR_CHECK(start_server());
    /* esp-modbus tells each access to its registers, and waits where nobody takes that. */
    while (true) {
        mb_param_info_t access;
        (void)mbc_slave_get_param_info(server, &access, 1000);
    }
}
