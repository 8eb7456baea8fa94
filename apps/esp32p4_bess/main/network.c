#include "network.h"

#include "esp_check.h"
#include "esp_eth.h"
#include "esp_eth_netif_glue.h"
#include "esp_netif.h"
#include "esp_netif_sntp.h"
#include "sdkconfig.h"

static const char *TAG = "network";

static esp_err_t start_ethernet(void)
{
    const eth_esp32_emac_config_t chip_config = ETH_ESP32_EMAC_DEFAULT_CONFIG();
    const eth_mac_config_t mac_config = ETH_MAC_DEFAULT_CONFIG();
    eth_phy_config_t phy_config = ETH_PHY_DEFAULT_CONFIG();
    phy_config.phy_addr = CONFIG_BESS_PHY_ADDRESS;
    phy_config.reset_gpio_num = CONFIG_BESS_PHY_RESET_GPIO;
    esp_eth_mac_t *mac = esp_eth_mac_new_esp32(&chip_config, &mac_config);
    esp_eth_phy_t *phy = esp_eth_phy_new_generic(&phy_config);
    ESP_RETURN_ON_FALSE(mac != NULL && phy != NULL, ESP_ERR_NO_MEM, TAG, "no memory for Ethernet");

    const esp_eth_config_t config = ETH_DEFAULT_CONFIG(mac, phy);
    esp_eth_handle_t handle = NULL;
    ESP_RETURN_ON_ERROR(esp_eth_driver_install(&config, &handle), TAG, "no Ethernet: check the PHY's address and clock");
    const esp_netif_config_t netif_config = ESP_NETIF_DEFAULT_ETH();
    esp_netif_t *netif = esp_netif_new(&netif_config);
    ESP_RETURN_ON_FALSE(netif != NULL, ESP_ERR_NO_MEM, TAG, "no memory for Ethernet");
    ESP_RETURN_ON_ERROR(esp_netif_attach(netif, esp_eth_new_netif_glue(handle)), TAG, "can't attach the interface");
    return esp_eth_start(handle);
}

esp_err_t network_start(void)
{
    ESP_RETURN_ON_ERROR(esp_netif_init(), TAG, "no network stack");
    ESP_RETURN_ON_ERROR(start_ethernet(), TAG, "no Ethernet");
    /* Certificates are judged by the time of day. */
    const esp_sntp_config_t sntp = ESP_NETIF_SNTP_DEFAULT_CONFIG("pool.ntp.org");
    return esp_netif_sntp_init(&sntp);
}
