/* The update block in a server of esp-modbus. */
#pragma once

#include "esp_err.h"

/* server: of mbc_slave_create_tcp() or mbc_slave_create_serial(), with its areas set, before mbc_slave_start(). */
esp_err_t ota_handlers_add(void *server);
