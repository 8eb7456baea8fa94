#pragma once
int example_connect(void);
struct esp_netif_obj* get_example_netif(void);
