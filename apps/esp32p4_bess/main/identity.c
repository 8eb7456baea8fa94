#include "identity.h"

#include <inttypes.h>
#include <stdio.h>

#include "esp_log.h"
#include "esp_mac.h"
#include "nvs.h"
#include "sdkconfig.h"

#if CONFIG_OTA_MANAGER_SOURCE_AWS_IOT

/* What every unit is made with: it may ask for a certificate, and nothing else. */
extern const char claim_certificate_start[] asm("_binary_claim_crt_start");
extern const char claim_key_start[] asm("_binary_claim_key_start");

static ota_identity_t identity;
static bool is_known;

static const char *key_of(ota_identity_place_t place)
{
    return place == OTA_IDENTITY_PENDING ? "pending" : "current";
}

/* A blob of NVS is there as a whole or not at all, whenever the power goes. With NVS encryption
 * (sdkconfig.secure) the key can't be read out of the flash. */
static esp_err_t load(ota_identity_place_t place, void *data, size_t capacity, size_t *size, void *unused)
{
    (void)unused;
    nvs_handle_t store;
    *size = 0;
    esp_err_t error = nvs_open("ota_identity", NVS_READONLY, &store);
    if (error == ESP_ERR_NVS_NOT_FOUND) {
        return ESP_OK;
    }
    if (error != ESP_OK) {
        return error;
    }
    *size = capacity;
    error = nvs_get_blob(store, key_of(place), data, size);
    nvs_close(store);
    if (error != ESP_OK) {
        *size = 0;
    }
    return error == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : error;
}

static esp_err_t save(ota_identity_place_t place, const void *data, size_t size, void *unused)
{
    (void)unused;
    nvs_handle_t store;
    esp_err_t error = nvs_open("ota_identity", NVS_READWRITE, &store);
    if (error != ESP_OK) {
        return error;
    }
    error = size == 0 ? nvs_erase_key(store, key_of(place)) : nvs_set_blob(store, key_of(place), data, size);
    if (error == ESP_ERR_NVS_NOT_FOUND) {
        error = ESP_OK; /* it is forgotten already */
    }
    if (error == ESP_OK) {
        error = nvs_commit(store);
    }
    nvs_close(store);
    return error;
}

/* The MAC address, which no other chip has. A product takes the number on its plate. */
static esp_err_t serial_number(char *out, size_t size)
{
    uint8_t mac[6];
    const esp_err_t error = esp_efuse_mac_get_default(mac);
    if (error == ESP_OK) {
        (void)snprintf(out, size, "%02x%02x%02x%02x%02x%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    }
    return error;
}

esp_err_t identity_find(void)
{
    char serial[16];
    const esp_err_t known = serial_number(serial, sizeof serial);
    if (known != ESP_OK) {
        return known;
    }
    const ota_provisioning_config_t config = {
        .endpoint = CONFIG_BESS_AWS_ENDPOINT,
        .claim_cert_pem = claim_certificate_start,
        .claim_key_pem = claim_key_start,
        .template_name = CONFIG_BESS_AWS_TEMPLATE,
        .serial_number = serial,
        .timeout_ms = 30 * 1000,
        .load = load,
        .save = save,
    };
    const esp_err_t error = ota_manager_provision(&config, &identity);
    is_known = error == ESP_OK;
    return error;
}

esp_err_t identity_recall(void)
{
    nvs_handle_t store;
    size_t size = 0;
    if (nvs_open("ota_identity", NVS_READONLY, &store) != ESP_OK) {
        return ESP_ERR_NOT_FOUND;
    }
    const esp_err_t error = nvs_get_blob(store, key_of(OTA_IDENTITY_CURRENT), NULL, &size);
    nvs_close(store);
    return error == ESP_OK && size != 0 ? identity_find() : ESP_ERR_NOT_FOUND;
}

const ota_identity_t *identity_get(void)
{
    return is_known ? &identity : NULL;
}

#endif
