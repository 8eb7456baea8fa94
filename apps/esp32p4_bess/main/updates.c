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

/* Who mounts and unmounts, stops and starts: the card, the drive, the task below, one at a time. */
static SemaphoreHandle_t owner;
static bool is_up;

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
    add(OTA_SOURCE_SD_CARD, &(ota_source_config_t){ .sd_card = { .filepath = CONFIG_OTA_MANAGER_SD_MOUNT_POINT "/bess_*" } });
#endif
#if CONFIG_OTA_MANAGER_SOURCE_USB_DRIVE
    add(OTA_SOURCE_USB_DRIVE, &(ota_source_config_t){ .usb_drive = { .filepath = CONFIG_OTA_MANAGER_USB_MOUNT_POINT "/bess_*" } });
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
    log.sd_card.directory = CONFIG_OTA_MANAGER_SD_MOUNT_POINT "/log";
#endif
#if CONFIG_BESS_CLOUD_LOG
    const ota_identity_t *thing = identity_get();
    if (thing != NULL) {
        log.cloudwatch = (ota_log_cloudwatch_t){
            .endpoint = "logs." CONFIG_BESS_AWS_REGION ".amazonaws.com",
            .region = CONFIG_BESS_AWS_REGION,
            .log_group = "/bess/ota",
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
    const esp_err_t started = ota_manager_start();
    is_up = started == ESP_OK;
    if (!is_up) {
        (void)ota_manager_deinit();
    }
    return started;
}

/* One that has not begun, or waits for a word, may be stopped: nothing is lost by it. */
static bool is_at_rest(void)
{
    const ota_status_t status = ota_manager_get_status();
    const bool is_busy = status != OTA_STATUS_IDLE && status != OTA_STATUS_UPDATE_AVAILABLE &&
                         status != OTA_STATUS_FAILED && status != OTA_STATUS_ABORTED;
    ota_boot_status_t boot = { 0 };
    return !is_up || (!is_busy && ota_manager_get_boot_status(&boot) == ESP_OK && !boot.trial);
}

void updates_lock(void)
{
    xSemaphoreTake(owner, portMAX_DELAY);
}

void updates_unlock(void)
{
    xSemaphoreGive(owner);
}

bool updates_pause_for(void (*action)(void *), void *what)
{
    updates_lock();
    const bool may = is_at_rest();
    if (may) {
        const bool was_up = is_up && ota_manager_stop() == ESP_OK;
        action(what);
        if (was_up && ota_manager_start() != ESP_OK) {
            (void)ota_manager_deinit();
            is_up = false; /* the task below tries again */
        }
    }
    updates_unlock();
    return may;
}

#if CONFIG_OTA_MANAGER_SOURCE_AWS_IOT
/* A key is made in it. */
enum { STACK = 10240, FIRST_LOOK = 3, LOOK_AGAIN = 360 };

/* A certificate is asked for before init, so the manager is taken down for it, half a minute at most. A unit may be put
 * up weeks before its network is. */
static void look_for_identity(void)
{
    static int rounds = FIRST_LOOK;
    if (identity_get() != NULL || --rounds > 0 || !is_at_rest()) {
        return;
    }
    rounds = LOOK_AGAIN;
    if (is_up) {
        (void)ota_manager_stop();
        (void)ota_manager_deinit();
        is_up = false;
    }
    warn_if_not(identity_find(), "certificate");
    warn_if_not(start(), "updates");
}
#else
enum { STACK = 6144 };

static void look_for_identity(void)
{
}
#endif

/* What could not be started, for want of memory in that moment, is started later. */
static void keep_up(void *unused)
{
    (void)unused;
    while (true) {
        vTaskDelay(pdMS_TO_TICKS(10 * 1000));
        updates_lock();
        if (!is_up) {
            warn_if_not(start(), "updates");
        }
        look_for_identity();
        updates_unlock();
    }
}

esp_err_t updates_start(void)
{
    static StaticSemaphore_t storage;
    owner = xSemaphoreCreateMutexStatic(&storage);
    updates_lock();
#if CONFIG_OTA_MANAGER_SOURCE_AWS_IOT
    warn_if_not(identity_recall(), "certificate yet");
#endif
    const esp_err_t started = start();
    updates_unlock();
    if (xTaskCreate(keep_up, "updates", STACK, NULL, 3, NULL) != pdPASS) {
        ESP_LOGE(TAG, "nobody looks after the updates");
    }
    return started;
}
