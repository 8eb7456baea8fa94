/*
 * Our own values of esp_err_t. ESP-IDF 6.2 and later learn their names from this header
 * (idf_define_esp_err_codes).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

/* 0xA000 is free in ESP-IDF. */
#define ESP_ERR_OTA_MGR_BASE 0xA000
#define ESP_ERR_OTA_MGR_PARTITION (ESP_ERR_OTA_MGR_BASE + 1) /*!< Partition missing or small */
#define ESP_ERR_OTA_MGR_IMAGE (ESP_ERR_OTA_MGR_BASE + 2)     /*!< Running image unreadable */
#define ESP_ERR_OTA_MGR_KEY (ESP_ERR_OTA_MGR_BASE + 3)       /*!< No usable public key */
