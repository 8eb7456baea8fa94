// ota_manager_provision() as a C program calls it; what it does is in sources/provisioning_test.
#include <gtest/gtest.h>

#include <string>

#include "api/api_bench.hpp"
#include "ota_manager.h"
#include "sources/aws/identity_record.hpp"

namespace ota {
namespace {

esp_err_t load(ota_identity_place_t, void*, size_t capacity, size_t* size, void*) {
    EXPECT_GE(capacity, size_t{OTA_IDENTITY_SIZE});
    *size = 0;
    return ESP_OK;
}
esp_err_t fail_to_load(ota_identity_place_t, void*, size_t, size_t*, void*) {
    return ESP_FAIL;
}
esp_err_t save(ota_identity_place_t, const void*, size_t, void*) {
    return ESP_OK;
}

ota_provisioning_config_t good() {
    ota_provisioning_config_t config{};
    config.endpoint = "localhost";
    config.port = 1;  // nobody listens
    config.claim_cert_pem = config.claim_key_pem = "PEM";
    config.template_name = "bess";
    config.serial_number = "serial-7";
    config.load = load;
    config.save = save;
    config.timeout_ms = 300;
    return config;
}

template <typename Change>
std::string error_with(Change change) {
    ota_provisioning_config_t config = good();
    ota_identity_t identity{};
    change(config);
    EXPECT_EQ(ota_manager_provision(&config, &identity), ESP_ERR_INVALID_ARG);
    const std::string error = ota_manager_config_error();
    return error.substr(0, error.find_first_of(":,"));
}

using ProvisionApi = api_test::CApi;

TEST_F(ProvisionApi, EachRuleOfItsConfigurationIsNamed) {
    using Config = ota_provisioning_config_t;
    static const ota_provisioning_parameter_t bad_name{"a b", "x"};
    static const ota_provisioning_parameter_t bad_value{"a", "x\"y"};
    EXPECT_EQ(error_with([](Config& c) { c.endpoint = "https://x"; }), "endpoint");
    EXPECT_EQ(error_with([](Config& c) { c.endpoint = nullptr; }), "endpoint");
    EXPECT_EQ(error_with([](Config& c) { c.template_name = "a/b"; }), "template_name");
    EXPECT_EQ(error_with([](Config& c) { c.serial_number = ""; }), "serial_number");
    EXPECT_EQ(error_with([](Config& c) { c.claim_key_pem = nullptr; }), "claim_cert_pem");
    EXPECT_EQ(error_with([](Config& c) { c.save = nullptr; }), "load");
    EXPECT_EQ(error_with([](Config& c) { c.parameter_count = 9; }), "parameter_count");
    EXPECT_EQ(error_with([](Config& c) { c.parameter_count = 1; }), "parameters");
    for (const ota_provisioning_parameter_t* bad : {&bad_name, &bad_value}) {
        EXPECT_EQ(error_with([&](Config& c) {
                      c.parameters = bad;
                      c.parameter_count = 1;
                  }),
                  "parameters");
    }
    ota_identity_t identity{};
    EXPECT_EQ(ota_manager_provision(nullptr, &identity), ESP_ERR_INVALID_ARG);
}

// A claim that is none is nothing that time mends.
TEST_F(ProvisionApi, BrokenClaimFailsAtOnceAndSaysWhy) {
    ota_provisioning_config_t config = good();
    ota_identity_t identity{};
    EXPECT_EQ(ota_manager_provision(&config, &identity), ESP_FAIL);
    EXPECT_NE(std::string(ota_manager_config_error()).find("certificate"), std::string::npos);
    EXPECT_EQ(identity.key_pem[0], '\0');
    config.load = fail_to_load;
    EXPECT_EQ(ota_manager_provision(&config, &identity), ESP_FAIL);
}

// What the store has is enough: neither claim nor network, nor a template.
TEST_F(ProvisionApi, IdentityInTheStoreNeedsNothingElse) {
    static std::array<uint8_t, kMaxIdentityRecord> record;
    static size_t size;
    ThingIdentity known;
    known.thing.assign("bess-7");
    known.certificate.assign("certificate");
    known.key.assign("key");
    size = encode_identity(known, record);
    ota_provisioning_config_t config{};
    config.save = save;
    config.load = [](ota_identity_place_t place, void* data, size_t, size_t* length, void*) {
        *length = place == OTA_IDENTITY_CURRENT ? size : 0;
        std::copy_n(record.begin(), *length, static_cast<uint8_t*>(data));
        return esp_err_t{ESP_OK};
    };
    ota_identity_t identity{};
    ASSERT_EQ(ota_manager_provision(&config, &identity), ESP_OK);
    EXPECT_STREQ(identity.thing_name, "bess-7");
    EXPECT_STREQ(identity.certificate_pem, "certificate");
    EXPECT_STREQ(identity.key_pem, "key");
}

TEST_F(ProvisionApi, OnlyBeforeInit) {
    ota_manager_config_t manager{};
    manager.source = OTA_SOURCE_SD_CARD;
    manager.config.sd_card.filepath = "/sdcard/bess*.bin";
    manager.public_key_pem = test::public_pem(test::Key::kEc);
    ASSERT_EQ(ota_manager_init(&manager), ESP_OK);
    const ota_provisioning_config_t config = good();
    ota_identity_t identity{};
    EXPECT_EQ(ota_manager_provision(&config, &identity), ESP_ERR_INVALID_STATE);
    ASSERT_EQ(ota_manager_deinit(), ESP_OK);
    EXPECT_EQ(ota_manager_provision(&config, &identity), ESP_FAIL);
    EXPECT_EQ(ota_manager_init(&manager), ESP_OK);
}

}  // namespace
}  // namespace ota
