/* The examples of the specification, word for word, as C11. What they leave to the application is
 * declared here; the calls are compiled and linked, and those that need no task are run by the test. */
#include <stdio.h>

#include "ota_manager.h"

#define ESP_LOGE(tag, ...) ((void)(tag), printf(__VA_ARGS__), (void)printf("\n"))
#define ESP_LOGW ESP_LOGE
#define ESP_LOGI ESP_LOGE

static const char *TAG = "example";
static const char *server_cert_pem = "";
static const char *update_public_key_pem = "";

static const char *esp_err_to_name(esp_err_t error) { return error == ESP_OK ? "ESP_OK" : "ERROR"; }
static void update_progress_indicator(int percentage) { (void)percentage; }

void example_basic_initialization(void);
void example_thresholds(void);
void example_manual_check(void);
void example_sd_card(void);
void example_configuration(ota_manager_config_t *out);

void example_basic_initialization(void)
{
/* Configure OTA manager for HTTPS updates */
ota_manager_config_t config = {
    .source = OTA_SOURCE_HTTPS,
    .config.https = {
        .url = "https://firmware.example.com/bess/latest.bin",
        .cert_pem = server_cert_pem,
        .basic_auth_user = "bess_device",
        .basic_auth_pass = "password123"
    },
    .check_interval_ms = 24 * 60 * 60 * 1000,  /* Daily checks */
    .automatic_update = false,
    .verify_signature = true,
    .public_key_pem = update_public_key_pem,
    .task_priority = 5,
    .task_stack_size = 8192,
    .core_id = 0
};

/* Initialize OTA manager */
esp_err_t ret = ota_manager_init(&config);
if (ret != ESP_OK) {
    ESP_LOGE(TAG, "Failed to initialize OTA manager: %s", esp_err_to_name(ret));
    return;
}

/* Start OTA task */
ota_manager_start();
}

void example_thresholds(void)
{
/* Set safety thresholds for OTA operations */
ota_manager_set_bms_safety_thresholds(
    30,       /* Minimum 30% SoC */
    45.0f,    /* Maximum 45째C temperature */
    0.0f,     /* Minimum 0째C temperature */
    10.0f     /* Maximum 10A current */
);
}

/* Event callback function */
void ota_event_handler(ota_status_t status, ota_error_t error, void *user_data) {
    switch (status) {
        case OTA_STATUS_UPDATE_AVAILABLE:
            ESP_LOGI(TAG, "New update available!");
            break;
            
        case OTA_STATUS_COMPLETE:
            ESP_LOGI(TAG, "Update complete, rebooting...");
            break;
            
        case OTA_STATUS_FAILED:
            ESP_LOGW(TAG, "Update failed: %s", ota_manager_error_to_string(error));
            break;
            
        /* Handle other states... */
    }
}

/* Progress callback function */
void ota_progress_handler(size_t received, size_t total, void *user_data) {
    int percentage = (total > 0) ? (received * 100 / total) : 0;
    ESP_LOGI(TAG, "Download progress: %d%% (%u/%u bytes)", percentage, received, total);
    
    /* Update LED or display to show progress */
    update_progress_indicator(percentage);
}

void example_configuration(ota_manager_config_t *out)
{
ota_manager_config_t config = OTA_MANAGER_CONFIG_DEFAULT();
/* Register for events */
config.event_cb = ota_event_handler;
config.event_cb_data = NULL;
/* Register progress callback */
config.progress_cb = ota_progress_handler;
config.progress_cb_data = NULL;
*out = config;
}

void example_manual_check(void)
{
/* Check for updates manually */
esp_err_t ret = ota_manager_check_for_update();
if (ret != ESP_OK) {
    ESP_LOGE(TAG, "Failed to check for updates: %s", esp_err_to_name(ret));
}
}

void example_sd_card(void)
{
/* Configure for SD card updates */
ota_manager_config_t sd_config = {
    .source = OTA_SOURCE_SD_CARD,
    .config.sd_card = {
        .filepath = "/sdcard/bess_update.bin"
    },
    .verify_signature = true,
    .public_key_pem = update_public_key_pem
};

ota_manager_init(&sd_config);
ota_manager_start();

/* Check for update file on SD card */
ota_manager_check_for_update();
}
