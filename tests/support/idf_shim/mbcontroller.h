#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
typedef enum {
    MB_EX_NONE = 0x00,
    MB_EX_ILLEGAL_FUNCTION = 0x01,
    MB_EX_SLAVE_BUSY = 0x06
} mb_exception_t;
typedef mb_exception_t (*mb_fn_handler_fp)(void*, uint8_t* frame_ptr, uint16_t* len_buf);
typedef enum { MB_RTU, MB_ASCII, MB_TCP } mb_mode_type_t;
typedef enum { MB_IPV4, MB_IPV6 } mb_addr_type_t;
typedef struct {
    mb_mode_type_t mode;
    uint16_t port;
    uint8_t uid;
    mb_addr_type_t addr_type;
    void* ip_netif_ptr;
} __attribute__((__packed__)) mb_tcp_opts_t;
typedef union {
    mb_tcp_opts_t tcp_opts;
} mb_communication_info_t;
typedef enum { MB_PARAM_HOLDING, MB_PARAM_INPUT } mb_param_type_t;
typedef enum { MB_ACCESS_RW, MB_ACCESS_RO } mb_param_access_t;
typedef struct {
    uint16_t start_offset;
    mb_param_type_t type;
    mb_param_access_t access;
    void* address;
    size_t size;
} mb_register_area_descriptor_t;
esp_err_t mbc_slave_create_tcp(mb_communication_info_t* config, void** ctx);
esp_err_t mbc_slave_set_descriptor(void* ctx, mb_register_area_descriptor_t descr_data);
esp_err_t mbc_slave_start(void* ctx);
typedef struct {
    uint32_t time_stamp;
} mb_param_info_t;
esp_err_t mbc_slave_get_param_info(void* ctx, mb_param_info_t* reg_info, uint32_t timeout);
esp_err_t mbc_get_handler(void* ctx, uint8_t func_code, mb_fn_handler_fp* handler);
esp_err_t mbc_set_handler(void* ctx, uint8_t func_code, mb_fn_handler_fp handler);
