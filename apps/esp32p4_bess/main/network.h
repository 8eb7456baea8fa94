/* Ethernet with DHCP, and the time of day by SNTP. */
#pragma once

#include "esp_err.h"

/* Returns at once; the link and the address come when they come. The default event loop must be there. */
esp_err_t network_start(void);
