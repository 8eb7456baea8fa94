// What of a document from afar is taken, and what it makes of the firmware's own settings.
#include "engine/remote_config.hpp"

#include <string>

#include "support/test.hpp"

namespace ota {
namespace {

struct RemoteConfig : testing::Test {
    Status take(std::string_view json, SettingsCarrier carrier = SettingsCarrier::kShadow) {
        return parse_remote_settings(json, own, carrier, asked, refused);
    }
    // The one member that is refused, or "".
    std::string refusal(std::string_view json) {
        EXPECT_TRUE(take(json).ok()) << json;
        EXPECT_LE(refused.size(), 1U) << json;
        return refused.empty() ? "" : std::string(refused[0].why);
    }
    Settings in_force() {
        Settings out = own;
        apply_remote_settings(asked, own, out);
        return out;
    }
    Settings own;
    RemoteSettings asked;
    RefusedSettings refused;
};

TEST_F(RemoteConfig, EveryMember) {
    ASSERT_TRUE(take(R"({"check_interval_s":3600,"automatic_update":true,"rollback_timeout_s":600,)"
                     R"("verify_signature":true,"allow_rollback":true,"min_soc":50,)"
                     R"("max_temperature":40,"min_temperature":5,"max_current":8,)"
                     R"("window":{"minutes":240,"from":"22:30"},"log_level":"debug"})")
                    .ok());
    EXPECT_TRUE(refused.empty());
    const Settings now = in_force();
    EXPECT_EQ(now.check_interval_ms, 3600000U);
    EXPECT_TRUE(now.automatic_update);
    EXPECT_EQ(now.rollback_timeout_ms, 600000U);
    EXPECT_EQ(now.thresholds.min_soc_percent, 50);
    EXPECT_EQ(now.thresholds.max_temperature_millicelsius, 40000);
    EXPECT_EQ(now.thresholds.min_temperature_millicelsius, 5000);
    EXPECT_EQ(now.thresholds.max_current_milliampere, 8000);
    EXPECT_EQ(asked.window, (UpdateWindow{22 * 60 + 30, 240}));
    EXPECT_EQ(asked.log_level, LogLevel::kDebug);
}

TEST_F(RemoteConfig, SafetyLimitsAreOnlyTightened) {
    for (const char* json :
         {R"({"min_soc":29})", R"({"max_temperature":46})", R"({"max_current":11})",
          R"({"verify_signature":false})", R"({"allow_rollback":false})"}) {
        EXPECT_EQ(refusal(json), "looser than the device's own") << json;
        EXPECT_EQ(in_force().thresholds.min_soc_percent, own.thresholds.min_soc_percent);
        EXPECT_TRUE(in_force().verify_signature && in_force().allow_rollback);
    }
    own.thresholds.min_temperature_millicelsius = 5000;
    EXPECT_EQ(refusal(R"({"min_temperature":4})"), "looser than the device's own");
    EXPECT_EQ(refusal(R"({"min_temperature":5})"), "");
}

TEST_F(RemoteConfig, WhatIsOutOfRangeIsRefused) {
    for (const char* json :
         {R"({"check_interval_s":59})", R"({"check_interval_s":2592001})",
          R"({"rollback_timeout_s":3601})", R"({"min_soc":101})", R"({"max_temperature":0})",
          R"({"min_temperature":45})", R"({"max_current":1001})"}) {
        EXPECT_EQ(refusal(json), "out of range") << json;
        EXPECT_EQ(asked, RemoteSettings());
    }
    EXPECT_EQ(refusal(R"({"check_interval_s":0})"), "");
    EXPECT_EQ(asked.check_interval, 0U);
}

TEST_F(RemoteConfig, OddTypesAreRefusedAndTheRestIsTaken) {
    for (const char* member :
         {R"("check_interval_s":"x")", R"("check_interval_s":[1,{}])", R"("automatic_update":1)",
          R"("automatic_update":{})", R"("min_soc":-1)", R"("min_soc":30.5)", R"("min_soc":true)",
          R"("window":"22:00")", R"("window":{"from":"22:00"})", R"("window":{"minutes":5})",
          R"("window":{"from":"24:00","minutes":5})", R"("window":{"from":"2:00","minutes":5})",
          R"("window":{"from":"22:00","minutes":1441})", R"("window":{"from":22,"minutes":5})",
          R"("log_level":"loud")", R"("log_level":3)", R"("log_level":"a very long level")",
          R"("colour":"blue")", R"("shape":{"a":[1]})"}) {
        EXPECT_NE(refusal("{" + std::string(member) + R"(,"max_current":7})"), "") << member;
        EXPECT_EQ(asked.max_current, std::optional<uint16_t>(7)) << member;
    }
}

TEST_F(RemoteConfig, NullIsAsGoodAsMissing) {
    EXPECT_EQ(refusal(R"({"min_soc":null,"window":null,"colour":null})"), "");
    EXPECT_EQ(asked, RemoteSettings());
}

TEST_F(RemoteConfig, WhatIsNoObjectIsNotTaken) {
    for (const char* json : {"", "[]", "1", "{", R"({"min_soc")", R"({"min_soc":40)",
                             R"({"min_soc":40,})", R"({"window":{"from":"22:00")"}) {
        EXPECT_FALSE(take(json).ok()) << json;
    }
}

TEST_F(RemoteConfig, MoreRefusalsThanAreHeld) {
    std::string json = "{";
    for (char c = 'a'; c <= 'z'; ++c) json += std::string(1, '"') + c + "\":1,";
    EXPECT_TRUE(take(json + "\"min_soc\":33}").ok());
    EXPECT_EQ(asked.min_soc, std::optional<uint8_t>(33));
    SettingsText text;
    format_remote_settings(in_force(), asked, refused, text);
    EXPECT_TRUE(text.view().ends_with("\"]}"));
}

TEST_F(RemoteConfig, TheReport) {
    ASSERT_TRUE(take(R"({"min_soc":50,"max_temperature":99,"we\"ird":1})").ok());
    SettingsText text;
    format_remote_settings(in_force(), asked, refused, text);
    EXPECT_EQ(text.view(),
              R"({"check_interval_s":0,"automatic_update":false,"rollback_timeout_s":300,)"
              R"("verify_signature":true,"allow_rollback":true,"min_soc":50,"max_temperature":45,)"
              R"("min_temperature":0,"max_current":10,"window":null,"log_level":null,)"
              R"("refused":["max_temperature: looser than the device's own","we?ird: unknown"]})");
}

TEST_F(RemoteConfig, LimitsThatDoNotGoTogether) {
    EXPECT_EQ(refusal(R"({"max_temperature":10,"min_temperature":20})"),
              "not below max_temperature");
    EXPECT_EQ(in_force().thresholds.max_temperature_millicelsius, 10000);
    EXPECT_EQ(in_force().thresholds.min_temperature_millicelsius, 0);
}

TEST_F(RemoteConfig, WhatIsOffInTheDeviceIsNotClaimed) {
    own.allow_rollback = false;
    EXPECT_EQ(refusal(R"({"allow_rollback":true})"), "off in this device");
    EXPECT_EQ(refusal(R"({"allow_rollback":false})"), "");
    own.rollback_timeout_ms = 7200000;
    EXPECT_EQ(refusal(R"({"rollback_timeout_s":7200})"), "");
}

TEST_F(RemoteConfig, OfAnEarlierFirmwareWithOtherLimits) {
    ASSERT_TRUE(take(R"({"max_temperature":20,"min_soc":40})").ok());
    own.thresholds.min_temperature_millicelsius = 25000;
    own.thresholds.min_soc_percent = 60;
    const Settings now = in_force();
    EXPECT_EQ(now.thresholds.max_temperature_millicelsius, 45000);
    EXPECT_EQ(now.thresholds.min_temperature_millicelsius, 25000);
    EXPECT_EQ(now.thresholds.min_soc_percent, 60);
}

TEST(UpdateWindowTest, AlsoOverMidnight) {
    const UpdateWindow night{22 * 60, 240};
    const auto at = [](int hour, int minute) {
        return UnixTime{86400 * 20000 + hour * 3600 + minute * 60};
    };
    EXPECT_FALSE(night.holds(at(21, 59)));
    EXPECT_TRUE(night.holds(at(22, 0)));
    EXPECT_TRUE(night.holds(at(0, 30)));
    EXPECT_TRUE(night.holds(at(1, 59)));
    EXPECT_FALSE(night.holds(at(2, 0)));
    EXPECT_TRUE((UpdateWindow{0, 1440}.holds(at(12, 0))));
}

}  // namespace
}  // namespace ota
