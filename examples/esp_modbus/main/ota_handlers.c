#include "ota_handlers.h"

#include <string.h>

#include "esp_check.h"
#include "mbcontroller.h"
#include "ota_manager.h"

static const char *TAG = "ota_handlers";

enum { PDU = 253, HANDLERS = 8, ERROR_FLAG = 0x80 };

/* What the update block is asked with: registers, file records, and the device's identification. */
static const uint8_t FUNCTIONS[HANDLERS] = { 3, 4, 6, 16, 20, 21, 23, 43 };
static mb_fn_handler_fp others[HANDLERS]; /* esp-modbus' own; NULL: it has none */

static mb_fn_handler_fp other_for(uint8_t function)
{
    for (size_t i = 0; i < HANDLERS; ++i) {
        if (FUNCTIONS[i] == function) {
            return others[i];
        }
    }
    return NULL;
}

/* In esp-modbus' task, with the request's PDU in frame, where the answer goes. The manager answers within 100 ms whatever
 * flash does; what is not for it goes where it went before. */
static mb_exception_t serve(void *server, uint8_t *frame, uint16_t *size)
{
    static uint8_t answer[PDU]; /* one task, one request at a time */
    size_t length = 0;
    const esp_err_t error = ota_manager_modbus_request(frame, *size, answer, sizeof answer, &length);
    if (error == ESP_ERR_TIMEOUT) {
        return MB_EX_SLAVE_BUSY;
    }
    if (error != ESP_OK) {
        const mb_fn_handler_fp other = other_for(frame[0]);
        return other == NULL ? MB_EX_ILLEGAL_FUNCTION : other(server, frame, size);
    }
    if ((answer[0] & ERROR_FLAG) != 0) {
        return (mb_exception_t)answer[1];
    }
    memcpy(frame, answer, length);
    *size = (uint16_t)length;
    return MB_EX_NONE;
}

esp_err_t ota_handlers_add(void *server)
{
    for (size_t i = 0; i < HANDLERS; ++i) {
        if (mbc_get_handler(server, FUNCTIONS[i], &others[i]) != ESP_OK) {
            others[i] = NULL;
        }
        ESP_RETURN_ON_ERROR(mbc_set_handler(server, FUNCTIONS[i], serve), TAG, "function %u", FUNCTIONS[i]);
    }
    return ESP_OK;
}
