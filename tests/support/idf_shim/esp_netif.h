#pragma once
#include "esp_err.h"
typedef struct {
    const void* base;
} esp_netif_config_t;
typedef struct esp_netif_obj esp_netif_t;
#define ESP_NETIF_DEFAULT_ETH() \
    { .base = NULL }
esp_err_t esp_netif_init(void);
esp_netif_t* esp_netif_new(const esp_netif_config_t* esp_netif_config);
esp_err_t esp_netif_attach(esp_netif_t* esp_netif, void* driver_handle);
