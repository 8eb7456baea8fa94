#include <gtest/gtest.h>

#include <cmath>

#include "api/config_check.hpp"
#include "api/error_map.hpp"
#include "ota_manager.h"
#include "support/image_factory.hpp"

namespace ota {
namespace {

ota_manager_config_t good() {
    ota_manager_config_t config{};
    config.source = OTA_SOURCE_SD_CARD;
    config.config.sd_card.filepath = "/sdcard/bess.bin";
    config.public_key_pem = test::public_pem(test::Key::kEc);
    return config;
}

template <typename Change>
std::string error_with(Change change) {
    ota_manager_config_t config = good();
    change(config);
    const char* error = check_config(config);
    return error == nullptr ? "" : error;
}

TEST(Config, ZeroMeansTheDefaultsOfTheSpecification) {
    EXPECT_EQ(check_config(good()), nullptr);
    const Settings settings = to_settings(good());
    EXPECT_EQ(settings.check_interval_ms, 0U);
    EXPECT_FALSE(settings.automatic_update);
    EXPECT_TRUE(settings.verify_signature);
    EXPECT_TRUE(settings.allow_rollback);
    EXPECT_EQ(settings.rollback_timeout_ms, 300000U);
    EXPECT_EQ(settings.thresholds.min_soc_percent, 30);
    EXPECT_EQ(settings.thresholds.max_temperature_millicelsius, 45000);
    EXPECT_EQ(settings.thresholds.min_temperature_millicelsius, 0);
    EXPECT_EQ(settings.thresholds.max_current_milliampere, 10000);
}

TEST(Config, DefaultMacroSaysTheSame) {
    ota_manager_config_t spelled = OTA_MANAGER_CONFIG_DEFAULT();
    spelled.source = OTA_SOURCE_SD_CARD;
    spelled.config.sd_card.filepath = "/sdcard/bess.bin";
    spelled.public_key_pem = test::public_pem(test::Key::kEc);
    ASSERT_EQ(check_config(spelled), nullptr);
    const Settings a = to_settings(spelled);
    const Settings b = to_settings(good());
    EXPECT_EQ(a.automatic_update, b.automatic_update);
    EXPECT_EQ(a.verify_signature, b.verify_signature);
    EXPECT_EQ(a.allow_rollback, b.allow_rollback);
    EXPECT_EQ(a.rollback_timeout_ms, b.rollback_timeout_ms);
    EXPECT_EQ(a.thresholds.min_soc_percent, b.thresholds.min_soc_percent);
    EXPECT_EQ(a.thresholds.max_current_milliampere, b.thresholds.max_current_milliampere);
    EXPECT_EQ(spelled.battery_capacity_wh, 200000U);
}

TEST(Config, FalseNeverSwitchesASafeguardOff) {
    ota_manager_config_t config = good();
    config.verify_signature = false;
    config.allow_rollback = false;
    EXPECT_TRUE(to_settings(config).verify_signature);
    EXPECT_TRUE(to_settings(config).allow_rollback);
    config.allow_rollback = OTA_OFF;
    EXPECT_FALSE(to_settings(config).allow_rollback);
}

TEST(Config, NamesTheField) {
    using C = ota_manager_config_t;
    const auto starts = [](const std::string& text, const char* field) {
        return text.rfind(field, 0) == 0;
    };
    EXPECT_TRUE(starts(error_with([](C& c) { c.config.sd_card.filepath = nullptr; }),
                       "config.sd_card.filepath"));
    EXPECT_TRUE(starts(error_with([](C& c) { c.config.sd_card.filepath = "x"; }),
                       "config.sd_card.filepath"));
    EXPECT_TRUE(starts(error_with([](C& c) { c.config.sd_card.filepath = "/sd/"; }),
                       "config.sd_card.filepath"));
    EXPECT_TRUE(starts(error_with([](C& c) { c.automatic_update = 2; }), "automatic_update"));
    EXPECT_TRUE(starts(error_with([](C& c) { c.verify_signature = 5; }), "verify_signature"));
    EXPECT_TRUE(starts(error_with([](C& c) { c.verify_signature = OTA_OFF; }), "verify_signature"));
    EXPECT_TRUE(starts(error_with([](C& c) { c.public_key_pem = nullptr; }), "public_key_pem"));
    EXPECT_TRUE(starts(error_with([](C& c) { c.task_priority = 25; }), "task_priority"));
    EXPECT_TRUE(starts(error_with([](C& c) { c.task_stack_size = 6143; }), "task_stack_size"));
    EXPECT_TRUE(starts(error_with([](C& c) { c.core_id = 2; }), "core_id"));
    EXPECT_TRUE(starts(error_with([](C& c) { c.allow_rollback = -2; }), "allow_rollback"));
    EXPECT_TRUE(starts(error_with([](C& c) { c.rollback_timeout_ms = 5; }), "rollback_timeout_ms"));
    EXPECT_TRUE(starts(error_with([](C& c) { c.min_soc = 101; }), "min_soc"));
    EXPECT_TRUE(starts(error_with([](C& c) { c.max_temperature = 500; }), "max_temperature"));
    EXPECT_TRUE(
        starts(error_with([](C& c) { c.max_temperature = std::nanf(""); }), "max_temperature"));
    EXPECT_TRUE(starts(error_with([](C& c) { c.min_temperature = 60; }), "min_temperature"));
    EXPECT_TRUE(starts(error_with([](C& c) { c.max_current = -1; }), "max_current"));
    EXPECT_TRUE(starts(error_with([](C& c) { c.expected_sha256 = "12"; }), "expected_sha256"));
    EXPECT_TRUE(
        starts(error_with([](C& c) { c.revoked_keys_sha256 = "12"; }), "revoked_keys_sha256"));
    EXPECT_TRUE(starts(error_with([](C& c) { c.expected_md5 = "xyz"; }), "expected_md5"));
}

TEST(Config, ExpectedDigestsArrive) {
    ota_manager_config_t config = good();
    config.revoked_keys_sha256 =
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  "
        "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B856\n";
    config.expected_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    config.expected_md5 = "d41d8cd98f00b204e9800998ecf8427e";
    const Settings settings = to_settings(config);
    ASSERT_TRUE(settings.expected.sha256.has_value());
    EXPECT_EQ((*settings.expected.sha256)[31], 0x55);
    ASSERT_TRUE(settings.expected.md5.has_value());
    EXPECT_EQ((*settings.expected.md5)[0], 0xD4);
    ASSERT_EQ(settings.revoked.size(), 2U);
    EXPECT_EQ(settings.revoked[1][31], 0x56);
}

TEST(ErrorMap, EveryPairOfCodeAndOriginHasAnAnswer) {
    for (int code = 0; code < kCodeCount; ++code) {
        for (int origin = 0; origin < kOriginCount; ++origin) {
            const Status status(static_cast<Code>(code), static_cast<Origin>(origin));
            const ota_error_t error = to_ota_error(status);
            EXPECT_GE(error, OTA_ERR_NONE);
            EXPECT_LE(error, OTA_ERR_INTERNAL);
            const bool silent = code == static_cast<int>(Code::kOk) ||
                                code == static_cast<int>(Code::kTryAgain) ||
                                code == static_cast<int>(Code::kCancelled);
            EXPECT_EQ(error == OTA_ERR_NONE, silent) << code;
        }
    }
}

TEST(ErrorMap, FaultsOfAServerAreItsOwn) {
    struct Case {
        Code code;
        Detail detail;
        ota_error_t error;
    };
    const Case cases[] = {
        {Code::kUnavailable, Detail::kDnsFailed, OTA_ERR_CONNECTIVITY},
        {Code::kUnavailable, Detail::kConnectionLost, OTA_ERR_CONNECTIVITY},
        {Code::kUnavailable, Detail::kClockNotSet, OTA_ERR_CONNECTIVITY},
        {Code::kUnavailable, Detail::kDailyLimit, OTA_ERR_CONNECTIVITY},
        {Code::kTimeout, Detail::kStalled, OTA_ERR_CONNECTIVITY},
        {Code::kTimeout, Detail::kNoAnswer, OTA_ERR_CONNECTIVITY},
        {Code::kBusy, Detail::kServerBusy, OTA_ERR_SERVER},
        {Code::kRefused, Detail::kHttpNotFound, OTA_ERR_SERVER},
        {Code::kRefused, Detail::kContentRange, OTA_ERR_SERVER},
        {Code::kRefused, Detail::kRedirectLimit, OTA_ERR_SERVER},
        {Code::kRefused, Detail::kTlsHandshake, OTA_ERR_SERVER},
        {Code::kUnauthenticated, Detail::kHttpUnauthorized, OTA_ERR_AUTHENTICATION},
        {Code::kUnauthenticated, Detail::kClientCertificate, OTA_ERR_AUTHENTICATION},
        {Code::kUntrusted, Detail::kCertificateExpired, OTA_ERR_AUTHENTICATION},
        {Code::kUntrusted, Detail::kPinMismatch, OTA_ERR_AUTHENTICATION},
        {Code::kNoUpdate, Detail::kNotModified, OTA_ERR_NO_UPDATES},
        {Code::kMalformed, Detail::kFileChanged, OTA_ERR_VALIDATION_FAILED},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(to_ota_error({c.code, Origin::kSource, c.detail}), c.error)
            << static_cast<int>(c.detail);
    }
    EXPECT_EQ(to_ota_error({Code::kUntrusted, Origin::kVerify, Detail::kSignatureUntrusted}),
              OTA_ERR_VALIDATION_FAILED);
    EXPECT_EQ(to_ota_error({Code::kNoSpace, Origin::kVerify, Detail::kSlotTooSmall}),
              OTA_ERR_INSUFFICIENT_SPACE);
}

TEST(ErrorMap, LowChargeAndOtherUnsafeThingsAreDistinct) {
    for (uint16_t i = static_cast<uint16_t>(Detail::kNoBatteryProvider);
         i <= static_cast<uint16_t>(Detail::kPausedTooLong); ++i) {
        const auto detail = static_cast<Detail>(i);
        const ota_error_t error = to_ota_error({Code::kUnsafe, Origin::kSafety, detail});
        EXPECT_EQ(error, detail == Detail::kSocLow ? OTA_ERR_BATTERY_LOW : OTA_ERR_BMS_UNSAFE);
    }
}

TEST(ErrorMap, TextsAreTheSpecifications) {
    const char* const texts[] = {"No error",
                                 "No updates available",
                                 "Cannot connect to update server",
                                 "Server error",
                                 "Authentication failed",
                                 "Not enough space for update",
                                 "Signature/checksum validation failed",
                                 "Error writing to flash",
                                 "Incompatible firmware version",
                                 "Battery too low for update",
                                 "BMS reports unsafe condition",
                                 "Internal error"};
    for (int i = 0; i < 12; ++i)
        EXPECT_STREQ(ota_manager_error_to_string(static_cast<ota_error_t>(i)), texts[i]);
    EXPECT_STREQ(ota_manager_error_to_string(static_cast<ota_error_t>(12)), "Unknown error");
}

}  // namespace
}  // namespace ota
