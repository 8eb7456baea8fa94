#pragma once
#include "esp_err.h"
typedef struct {
    int mdc_num;
} eth_esp32_emac_config_t;
typedef struct {
    int rx_task_prio;
} eth_mac_config_t;
typedef struct {
    int phy_addr;
    int reset_gpio_num;
} eth_phy_config_t;
typedef struct esp_eth_mac_s esp_eth_mac_t;
typedef struct esp_eth_phy_s esp_eth_phy_t;
typedef struct {
    esp_eth_mac_t* mac;
    esp_eth_phy_t* phy;
} esp_eth_config_t;
typedef void* esp_eth_handle_t;
#define ETH_ESP32_EMAC_DEFAULT_CONFIG() \
    { .mdc_num = 31 }
#define ETH_MAC_DEFAULT_CONFIG() \
    { .rx_task_prio = 15 }
#define ETH_PHY_DEFAULT_CONFIG() \
    { .phy_addr = -1 }
#define ETH_DEFAULT_CONFIG(emac, ephy) \
    { .mac = emac, .phy = ephy }
esp_eth_mac_t* esp_eth_mac_new_esp32(const eth_esp32_emac_config_t* esp32_config,
                                     const eth_mac_config_t* config);
esp_eth_phy_t* esp_eth_phy_new_generic(const eth_phy_config_t* config);
esp_err_t esp_eth_driver_install(const esp_eth_config_t* config, esp_eth_handle_t* out_hdl);
esp_err_t esp_eth_start(esp_eth_handle_t hdl);
