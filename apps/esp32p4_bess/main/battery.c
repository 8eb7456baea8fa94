#include "battery.h"

#include "esp_timer.h"
#include "freertos/FreeRTOS.h"

static portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED;
static ota_battery_reading_t latest;
static int64_t taken_at = -1; /* us since the start */

void battery_report(int32_t soc_percent, int32_t t_min_millicelsius, int32_t t_max_millicelsius,
                    int32_t current_milliampere)
{
    taskENTER_CRITICAL(&lock);
    latest.soc_percent = soc_percent;
    latest.t_min_millicelsius = t_min_millicelsius;
    latest.t_max_millicelsius = t_max_millicelsius;
    latest.current_milliampere = current_milliampere;
    taken_at = esp_timer_get_time();
    taskEXIT_CRITICAL(&lock);
}

bool battery_read(ota_battery_reading_t *reading, void *user)
{
    (void)user;
    taskENTER_CRITICAL(&lock);
    const int64_t then = taken_at;
    *reading = latest;
    taskEXIT_CRITICAL(&lock);
    const int64_t age_ms = (esp_timer_get_time() - then) / 1000;
    reading->age_ms = age_ms < UINT32_MAX ? (uint32_t)age_ms : UINT32_MAX;
    return then >= 0;
}

ota_health_t battery_probe(void *user)
{
    ota_battery_reading_t reading;
    return battery_read(&reading, user) ? OTA_HEALTH_PASS : OTA_HEALTH_PENDING;
}

static ota_battery_reading_t pretended;

static void repeat(void *unused)
{
    (void)unused;
    battery_report(pretended.soc_percent, pretended.t_min_millicelsius, pretended.t_max_millicelsius,
                   pretended.current_milliampere);
}

void battery_pretend(int32_t soc_percent, int32_t t_min_millicelsius, int32_t t_max_millicelsius,
                     int32_t current_milliampere)
{
    static esp_timer_handle_t timer;
    static const esp_timer_create_args_t each_second = { .callback = repeat, .name = "bench" };
    pretended.soc_percent = soc_percent;
    pretended.t_min_millicelsius = t_min_millicelsius;
    pretended.t_max_millicelsius = t_max_millicelsius;
    pretended.current_milliampere = current_milliampere;
    repeat(NULL);
    if (timer == NULL && esp_timer_create(&each_second, &timer) == ESP_OK) {
        (void)esp_timer_start_periodic(timer, 1000 * 1000);
    }
}
