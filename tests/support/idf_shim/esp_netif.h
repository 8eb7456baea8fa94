#pragma once
int esp_netif_init(void);
