#include "updates.h"

#include "battery.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "identity.h"
#include "ota_manager.h"
#include "sdkconfig.h"

static const char *TAG = "updates";

/* otactl keygen release.pem update_key.pub.pem */
extern const char update_key_start[] asm("_binary_update_key_pub_pem_start");

/* Who stops and starts the manager: the card, the drive, the search for a certificate. */
static SemaphoreHandle_t owner;

static void warn_if_not(esp_err_t error, const char *what)
{
    if (error != ESP_OK) {
        ESP_LOGW(TAG, "no %s: %s (%s)", what, esp_err_to_name(error), ota_manager_config_error());
    }
}

static void add(ota_source_t source, const ota_source_config_t *config)
{
    warn_if_not(ota_manager_add_source(source, config), ota_manager_source_to_string(source));
}

static void add_files(void)
{
#if CONFIG_OTA_MANAGER_SOURCE_SD_CARD
    add(OTA_SOURCE_SD_CARD, &(ota_source_config_t){ .sd_card = { .filepath = "/sdcard/bess_*" } });
#endif
#if CONFIG_OTA_MANAGER_SOURCE_USB_DRIVE
    add(OTA_SOURCE_USB_DRIVE, &(ota_source_config_t){ .usb_drive = { .filepath = "/usb/bess_*" } });
#endif
}

static void add_buses(void)
{
#if CONFIG_OTA_MANAGER_SOURCE_MODBUS
    add(OTA_SOURCE_MODBUS, &(ota_source_config_t){ .modbus = { .unit_id = 1 } });
#endif
#if CONFIG_OTA_MANAGER_SOURCE_CANBUS
    add(OTA_SOURCE_CANBUS, &(ota_source_config_t){ .canbus = { .interface = CONFIG_BESS_CAN_INTERFACE } });
#endif
#if CONFIG_OTA_MANAGER_MODULE_BOARDS
    const ota_modules_config_t boards = { .count = CONFIG_BESS_MODULE_BOARDS, .interface = CONFIG_BESS_CAN_INTERFACE };
    warn_if_not(ota_manager_set_modules(&boards), "module boards");
#endif
}

#if CONFIG_OTA_MANAGER_SOURCE_AWS_IOT
static void add_cloud(void)
{
    const ota_identity_t *thing = identity_get();
    if (thing == NULL) {
        return;
    }
    const ota_source_config_t jobs = {
        .aws_iot = {
            .endpoint = CONFIG_BESS_AWS_ENDPOINT,
            .thing_name = thing->thing_name,
            .device_cert_pem = thing->certificate_pem,
            .device_key_pem = thing->key_pem,
            .shadow = true,
        },
    };
    add(OTA_SOURCE_AWS_IOT, &jobs);
}
#else
static void add_cloud(void)
{
}
#endif

#if CONFIG_OTA_MANAGER_LOG_SD_CARD || CONFIG_OTA_MANAGER_LOG_CLOUDWATCH
static void set_log(void)
{
    ota_log_config_t log = { .console_level = OTA_LOG_INFO };
#if CONFIG_OTA_MANAGER_LOG_SD_CARD
    log.sd_card.directory = "/sdcard/log";
#endif
#if CONFIG_BESS_CLOUD_LOG
    const ota_identity_t *thing = identity_get();
    if (thing != NULL) {
        log.cloudwatch = (ota_log_cloudwatch_t){
            .endpoint = "logs." CONFIG_BESS_AWS_REGION ".amazonaws.com",
            .region = CONFIG_BESS_AWS_REGION,
            .log_group = "bess",
            .credentials_endpoint = CONFIG_BESS_AWS_CREDENTIALS_ENDPOINT,
            .role_alias = "bess-log",
            .thing_name = thing->thing_name,
            .device_cert_pem = thing->certificate_pem,
            .device_key_pem = thing->key_pem,
        };
    }
#endif
    if (log.sd_card.directory != NULL || log.cloudwatch.endpoint != NULL) {
        warn_if_not(ota_manager_set_log(&log), "log");
    }
}
#else
static void set_log(void)
{
}
#endif

static esp_err_t start(void)
{
    const ota_manager_config_t config = {
        .source = OTA_SOURCE_HTTPS,
        .config.https = { .url = CONFIG_BESS_UPDATE_URL },
        .check_interval_ms = 24 * 60 * 60 * 1000,
        .automatic_update = true,
        .public_key_pem = update_key_start,
        .suit_vendor_id = CONFIG_BESS_SUIT_VENDOR_ID,
        .suit_class_id = CONFIG_BESS_SUIT_CLASS_ID,
    };
    const esp_err_t opened = ota_manager_init(&config);
    if (opened != ESP_OK) {
        ESP_LOGE(TAG, "%s", ota_manager_config_error());
        return opened;
    }
    add_files();
    add_buses();
    add_cloud();
    set_log();
    ESP_ERROR_CHECK(ota_manager_set_battery_provider(battery_read, NULL));
    ESP_ERROR_CHECK(ota_manager_add_health_probe("bms", battery_probe, NULL));
    return ota_manager_start();
}

static bool is_at_rest(void)
{
    const ota_status_t status = ota_manager_get_status();
    const bool is_busy = status != OTA_STATUS_IDLE && status != OTA_STATUS_FAILED && status != OTA_STATUS_ABORTED;
    ota_boot_status_t boot = { 0 };
    return !is_busy && ota_manager_get_boot_status(&boot) == ESP_OK && !boot.trial;
}

bool updates_pause_for(void (*action)(void *), void *what)
{
    xSemaphoreTake(owner, portMAX_DELAY);
    const bool may = is_at_rest();
    if (may) {
        const bool was_running = ota_manager_stop() == ESP_OK;
        action(what);
        if (was_running && ota_manager_start() != ESP_OK) {
            ESP_LOGE(TAG, "updates did not start again");
        }
    }
    xSemaphoreGive(owner);
    return may;
}

#if CONFIG_OTA_MANAGER_SOURCE_AWS_IOT
/* A unit may be put up weeks before its network is. A certificate is asked for before init, so the manager is taken
 * down for it. */
static void find_identity(void *unused)
{
    (void)unused;
    while (identity_get() == NULL) {
        vTaskDelay(pdMS_TO_TICKS(60 * 60 * 1000));
        xSemaphoreTake(owner, portMAX_DELAY);
        if (is_at_rest() && ota_manager_stop() == ESP_OK && ota_manager_deinit() == ESP_OK) {
            warn_if_not(identity_find(), "certificate");
            warn_if_not(start(), "updates");
        }
        xSemaphoreGive(owner);
    }
    vTaskDelete(NULL);
}
#endif

esp_err_t updates_start(void)
{
    owner = xSemaphoreCreateMutex();
    if (owner == NULL) {
        return ESP_ERR_NO_MEM;
    }
#if CONFIG_OTA_MANAGER_SOURCE_AWS_IOT
    /* At the first start it takes a while; later it is in NVS. */
    warn_if_not(identity_find(), "certificate");
    /* TLS runs in it. */
    enum { STACK = 10240 };
    if (identity_get() == NULL && xTaskCreate(find_identity, "identity", STACK, NULL, 3, NULL) != pdPASS) {
        return ESP_ERR_NO_MEM;
    }
#endif
    return start();
}
