#pragma once
#include "esp_twai_types.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef int gpio_num_t;
#define GPIO_NUM_NC ((gpio_num_t)-1)
typedef struct {
    uint32_t bitrate;
    uint16_t sp_permill;
    uint16_t ssp_permill;
} twai_timing_basic_config_t;
typedef struct {
    struct {
        gpio_num_t tx;
        gpio_num_t rx;
        gpio_num_t quanta_clk_out;
        gpio_num_t bus_off_indicator;
    } io_cfg;
    twai_timing_basic_config_t bit_timing;
    int8_t fail_retry_cnt;
    uint32_t tx_queue_depth;
} twai_onchip_node_config_t;
esp_err_t twai_new_node_onchip(const twai_onchip_node_config_t* node_config,
                               twai_node_handle_t* node_ret);
#ifdef __cplusplus
}
#endif
