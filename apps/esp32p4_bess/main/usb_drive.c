#include "usb_drive.h"

#include "esp_check.h"
#include "esp_intr_alloc.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/task.h"
#include "ota_manager.h"
#include "sdkconfig.h"
#include "updates.h"
#include "usb/msc_host.h"
#include "usb/msc_host_vfs.h"
#include "usb/usb_host.h"

static const char *TAG = "usb_drive";
static const TickType_t LOOK_AGAIN = pdMS_TO_TICKS(1000);
/* ota_manager_start() takes 2.2 KB of it. */
enum { WATCH_STACK = 6144, HOST_STACK = 4096, EVENTS = 8, NONE = 0 };

static QueueHandle_t events;
static msc_host_device_handle_t drive;
static msc_host_vfs_handle_t files;

/* In the driver's task, which must not wait for a file system. */
static void on_event(const msc_host_event_t *event, void *unused)
{
    (void)unused;
    if (xQueueSend(events, event, LOOK_AGAIN) != pdTRUE) {
        ESP_LOGE(TAG, "too many drives come and go");
    }
}

static void serve_host(void *unused)
{
    (void)unused;
    while (true) {
        uint32_t flags = 0;
        (void)usb_host_lib_handle_events(portMAX_DELAY, &flags);
    }
}

static void mount_drive(uint8_t address)
{
    static const esp_vfs_fat_mount_config_t mount = { .max_files = 4 };
    if (msc_host_install_device(address, &drive) != ESP_OK) {
        ESP_LOGW(TAG, "a drive that can't be used");
        drive = NULL;
        return;
    }
    updates_lock();
    const esp_err_t mounted = msc_host_vfs_register(drive, CONFIG_OTA_MANAGER_USB_MOUNT_POINT, &mount, &files);
    updates_unlock();
    if (mounted != ESP_OK) {
        ESP_LOGW(TAG, "a drive without FAT: %s", esp_err_to_name(mounted));
        (void)msc_host_uninstall_device(drive);
        drive = NULL;
        return;
    }
    ESP_LOGI(TAG, "drive in");
    (void)ota_manager_check_for_update(); /* refused while an update is in hand */
}

static void unmount_drive(void *unused)
{
    (void)unused;
    (void)msc_host_vfs_unregister(files);
    const esp_err_t error = msc_host_uninstall_device(drive);
    if (error != ESP_OK) {
        ESP_LOGE(TAG, "the port takes no other drive until the next restart: %s", esp_err_to_name(error));
    }
    drive = NULL;
}

/* Reading from a drive that is gone fails, which ends an update from it; then it can be let go of. */
static void watch_drive(void *unused)
{
    (void)unused;
    bool is_gone = false;
    uint8_t next = NONE; /* address of a drive that came meanwhile */
    while (true) {
        msc_host_event_t event;
        if (xQueueReceive(events, &event, LOOK_AGAIN) == pdTRUE) {
            if (event.event == MSC_DEVICE_CONNECTED) {
                next = event.device.address;
            } else if (event.event == MSC_DEVICE_DISCONNECTED && event.device.handle == drive) {
                is_gone = true;
            }
        }
        if (is_gone && updates_pause_for(unmount_drive, NULL)) {
            ESP_LOGI(TAG, "drive out");
            is_gone = false;
        }
        if (drive == NULL && next != NONE) {
            mount_drive(next);
            next = NONE;
        }
    }
}

esp_err_t usb_drive_start(void)
{
    const usb_host_config_t host = { .intr_flags = ESP_INTR_FLAG_LEVEL1 };
    const msc_host_driver_config_t driver = {
        .create_backround_task = true,
        .task_priority = 4,
        .stack_size = HOST_STACK,
        .core_id = tskNO_AFFINITY,
        .callback = on_event,
    };
    events = xQueueCreate(EVENTS, sizeof(msc_host_event_t));
    ESP_RETURN_ON_FALSE(events != NULL, ESP_ERR_NO_MEM, TAG, "no memory");
    ESP_RETURN_ON_ERROR(usb_host_install(&host), TAG, "no USB host");
    ESP_RETURN_ON_FALSE(xTaskCreate(serve_host, "usb_host", HOST_STACK, NULL, 4, NULL) == pdPASS, ESP_ERR_NO_MEM, TAG,
                        "no memory");
    ESP_RETURN_ON_ERROR(msc_host_install(&driver), TAG, "no driver for drives");
    return xTaskCreate(watch_drive, "usb_drive", WATCH_STACK, NULL, 3, NULL) == pdPASS ? ESP_OK : ESP_ERR_NO_MEM;
}
