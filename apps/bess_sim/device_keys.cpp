#include "device_keys.hpp"

#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <psa/crypto.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "base/hex.hpp"
#include "https_settings.hpp"

namespace {

psa_key_id_t import_key(psa_key_type_t type, psa_key_usage_t usage, psa_algorithm_t algorithm,
                        ota::Bytes bytes) {
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, type);
    psa_set_key_usage_flags(&attributes, usage);
    psa_set_key_algorithm(&attributes, algorithm);
    psa_key_id_t id = 0;
    return psa_import_key(&attributes, bytes.data(), bytes.size(), &id) == PSA_SUCCESS ? id : 0;
}

// Hexadecimal digits, as many as key holds.
bool read_hex_file(const char* path, ota::MutableBytes key) {
    std::array<char, 128> text{};
    if (!read_text_file(path, text)) return false;
    text[std::strcspn(text.data(), "\r\n")] = '\0';
    return ota::parse_hex(std::string_view(text.data()), key);
}

psa_key_id_t import_kek(const char* path) {
    std::array<uint8_t, 16> key{};
    if (!read_hex_file(path, key)) return 0;
    return import_key(PSA_KEY_TYPE_AES, PSA_KEY_USAGE_DECRYPT, PSA_ALG_ECB_NO_PADDING, key);
}

psa_key_id_t import_hmac(const char* path) {
    std::array<uint8_t, 32> key{};
    if (!read_hex_file(path, key)) return 0;
    return import_key(PSA_KEY_TYPE_HMAC, PSA_KEY_USAGE_SIGN_MESSAGE, PSA_ALG_HMAC(PSA_ALG_SHA_256),
                      key);
}

// A P-256 private key in PEM.
psa_key_id_t import_private(const char* path) {
    std::array<char, 2048> text{};
    if (!read_text_file(path, text)) return 0;
    mbedtls_pk_context pk;
    mbedtls_pk_init(&pk);
    std::array<uint8_t, 32> secret{};
    const auto* pem = reinterpret_cast<const unsigned char*>(text.data());
    const bool parsed =
        mbedtls_pk_parse_key(&pk, pem, std::strlen(text.data()) + 1, nullptr, 0) == 0 &&
        mbedtls_pk_get_type(&pk) == MBEDTLS_PK_ECKEY &&
        mbedtls_mpi_write_binary(&mbedtls_pk_ec(pk)->d, secret.data(), secret.size()) == 0;
    mbedtls_pk_free(&pk);
    psa_key_id_t id = 0;
    if (parsed) {
        id = import_key(PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1), PSA_KEY_USAGE_DERIVE,
                        PSA_ALG_KEY_AGREEMENT(PSA_ALG_ECDH, PSA_ALG_HKDF(PSA_ALG_SHA_256)), secret);
    }
    mbedtls_platform_zeroize(secret.data(), secret.size());
    return id;
}

}  // namespace

bool load_device_keys(const Arguments& arguments, ota_manager_config_t& config) {
    if (psa_crypto_init() != PSA_SUCCESS) return false;
    if (arguments.access_key != nullptr) {
        config.access_hmac_key_id = import_hmac(arguments.access_key);
    }
    if (arguments.kek != nullptr) config.payload_kek_id = import_kek(arguments.kek);
    if (arguments.decrypt_key != nullptr) {
        config.payload_ecdh_key_id = import_private(arguments.decrypt_key);
    }
    const bool whole = (arguments.access_key == nullptr || config.access_hmac_key_id != 0) &&
                       (arguments.kek == nullptr || config.payload_kek_id != 0) &&
                       (arguments.decrypt_key == nullptr || config.payload_ecdh_key_id != 0);
    if (!whole)
        std::fprintf(stderr, "firmware: access-key=, kek= or decrypt-key= holds no usable key\n");
    return whole;
}

uint32_t load_module_key(const char* path) {
    return import_hmac(path);
}
