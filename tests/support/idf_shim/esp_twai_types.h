#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct twai_node_base* twai_node_handle_t;
typedef enum {
    TWAI_ERROR_ACTIVE,
    TWAI_ERROR_WARNING,
    TWAI_ERROR_PASSIVE,
    TWAI_ERROR_BUS_OFF
} twai_error_state_t;
typedef struct {
    uint32_t id;
    uint16_t dlc;
    struct {
        uint32_t ide : 1;
        uint32_t rtr : 1;
        uint32_t fdf : 1;
        uint32_t brs : 1;
        uint32_t esi : 1;
    };
    uint64_t timestamp;
} twai_frame_header_t;
typedef struct {
    twai_frame_header_t header;
    uint8_t* buffer;
    size_t buffer_len;
} twai_frame_t;
typedef struct {
    bool is_tx_success;
    const twai_frame_t* done_tx_frame;
} twai_tx_done_event_data_t;
typedef struct {
    uint8_t reserved;
} twai_rx_done_event_data_t;
typedef struct {
    twai_error_state_t old_sta;
    twai_error_state_t new_sta;
} twai_state_change_event_data_t;
typedef struct {
    uint32_t err_flags;
} twai_error_event_data_t;
typedef struct {
    bool (*on_tx_done)(twai_node_handle_t handle, const twai_tx_done_event_data_t* edata,
                       void* user_ctx);
    bool (*on_rx_done)(twai_node_handle_t handle, const twai_rx_done_event_data_t* edata,
                       void* user_ctx);
    bool (*on_state_change)(twai_node_handle_t handle, const twai_state_change_event_data_t* edata,
                            void* user_ctx);
    bool (*on_error)(twai_node_handle_t handle, const twai_error_event_data_t* edata,
                     void* user_ctx);
} twai_event_callbacks_t;
#ifdef __cplusplus
}
#endif
