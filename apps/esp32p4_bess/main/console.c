#include "console.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "battery.h"
#include "esp_check.h"
#include "esp_console.h"
#include "ota_manager.h"
#include "sdkconfig.h"

static const char *TAG = "console";

static void print_report(void)
{
    ota_report_t report;
    if (ota_manager_get_last_report(&report) != ESP_OK || report.attempt.outcome == OTA_OUTCOME_NONE) {
        return;
    }
    const ota_attempt_t *attempt = &report.attempt;
    printf("last attempt  %s from %s: %s", attempt->version[0] == '\0' ? "?" : attempt->version,
           ota_manager_source_to_string(attempt->source), ota_manager_outcome_to_string(attempt->outcome));
    printf(attempt->detail[0] == '\0' ? "\n" : ", %s\n", attempt->detail);
    if (report.revert_reason != OTA_REVERT_NONE) {
        printf("given up      %s %s: %s\n", report.version, report.probe,
               ota_manager_revert_reason_to_string(report.revert_reason));
    }
}

static int print_status(void)
{
    ota_boot_status_t boot = { 0 };
    ota_error_info_t error = { 0 };
    size_t received = 0;
    size_t total = 0;
    const ota_status_t status = ota_manager_get_status();
    if (ota_manager_get_boot_status(&boot) != ESP_OK || ota_manager_get_last_error(&error) != ESP_OK ||
        ota_manager_get_progress(&received, &total) != ESP_OK) {
        printf("the manager does not run: %s\n", ota_manager_config_error());
        return 1;
    }
    printf("state         %s%s\n", ota_manager_status_to_string(status), boot.paused ? ", held by the battery" : "");
    const bool is_factory = boot.running_slot == 0xFE;
    printf(is_factory ? "running       factory" : "running       ota_%u", boot.running_slot);
    printf(boot.trial ? ", on trial\n" : "\n");
    if (total != 0) {
        printf("progress      %u of %u bytes\n", (unsigned)received, (unsigned)total);
    }
    if (error.error != OTA_ERR_NONE) {
        printf("last error    %s: %s (%" PRId32 ", limit %" PRId32 ")\n", ota_manager_error_to_string(error.error),
               error.detail, error.reading, error.limit);
    }
    print_report();
    return 0;
}

static int ota_command(int argc, char **argv)
{
    static const struct {
        const char *name;
        esp_err_t (*call)(void);
    } commands[] = {
        { "check", ota_manager_check_for_update }, { "start", ota_manager_start_update },
        { "apply", ota_manager_apply },            { "abort", ota_manager_abort },
        { "confirm", ota_manager_confirm },        { "rollback", ota_manager_rollback },
    };
    if (argc == 1 || (argc == 2 && strcmp(argv[1], "status") == 0)) {
        return print_status();
    }
    for (size_t i = 0; argc == 2 && i < sizeof commands / sizeof commands[0]; ++i) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            const esp_err_t error = commands[i].call();
            printf("%s\n", error == ESP_OK ? "ok" : error == ESP_ERR_INVALID_STATE ? "not in this state" : "try again");
            return error == ESP_OK ? 0 : 1;
        }
    }
    printf("ota status|check|start|apply|abort|confirm|rollback\n");
    return 1;
}

#if CONFIG_BESS_BENCH
/* The battery as the BMS would report it. */
static int bms_command(int argc, char **argv)
{
    if (argc != 5) {
        printf("bms SOC_PERCENT COLDEST_C HOTTEST_C CURRENT_A\n");
        return 1;
    }
    battery_pretend(atoi(argv[1]), atoi(argv[2]) * 1000, atoi(argv[3]) * 1000, atoi(argv[4]) * 1000);
    return 0;
}
#endif

esp_err_t console_start(void)
{
    static const esp_console_cmd_t commands[] = {
        { .command = "ota", .help = "status, check, start, apply, abort, confirm, rollback", .func = ota_command },
#if CONFIG_BESS_BENCH
        { .command = "bms", .help = "SOC_PERCENT COLDEST_C HOTTEST_C CURRENT_A", .func = bms_command },
#endif
    };
    esp_console_repl_t *repl = NULL;
    esp_console_repl_config_t config = ESP_CONSOLE_REPL_CONFIG_DEFAULT();
    const esp_console_dev_uart_config_t uart = ESP_CONSOLE_DEV_UART_CONFIG_DEFAULT();
    config.prompt = "bess>";
    ESP_RETURN_ON_ERROR(esp_console_new_repl_uart(&uart, &config, &repl), TAG, "no console");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; ++i) {
        ESP_RETURN_ON_ERROR(esp_console_cmd_register(&commands[i]), TAG, "no command");
    }
    return esp_console_start_repl(repl);
}
