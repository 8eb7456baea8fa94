// Settings from afar in the engine: durable, stricter alone, and the time of day in which updates
// begin.
#include <utility>

#include "engine/components_bench.hpp"

namespace ota {
namespace {

// A source whose medium, or job, comes when a test says so.
struct Arrival final : Channel {
    Result<bool> poll(Offer& offer) override { return fake.poll(offer); }
    void refused(Status why) override { fake.refused(why); }
    void rewind() override { fake.rewind(); }
    bool arrived() override { return std::exchange(has_come, false); }
    void report(const Report& report) override { fake.report(report); }
    test::FakeSource fake;
    bool has_come = false;
};

struct RemoteSettingsInForce : Device {
    RemoteSettingsInForce() {
        put_image(0, test::make_signed_of_size("1.0.0", 32 * 1024, 1));
        clock.set_wall(kFirstBuild + 86400);  // midnight
        settings.remote_settings = true;
        EXPECT_TRUE(boot());
    }
    std::string described() {
        SettingsText text;
        manager().describe_settings(text);
        return std::string(text.view());
    }
    bool says(const char* part) { return described().find(part) != std::string::npos; }
};

TEST(RemoteSettings, AreInForceAndSurviveARestart) {
    RemoteSettingsInForce device;
    ASSERT_TRUE(
        device.manager()
            .take_settings(R"({"min_soc":70,"min_temperature":10})", SettingsCarrier::kShadow)
            .ok());
    EXPECT_TRUE(device.says("\"min_soc\":70"));
    ASSERT_TRUE(device.boot());
    EXPECT_TRUE(device.says("\"min_soc\":70"));
    EXPECT_TRUE(device.says("\"min_temperature\":10"));
    EXPECT_FALSE(device.manager().take_settings("[", SettingsCarrier::kShadow).ok());
    EXPECT_TRUE(device.says("\"min_soc\":70"));
    ASSERT_TRUE(device.manager().take_settings("{}", SettingsCarrier::kShadow).ok());
    EXPECT_TRUE(device.says("\"min_soc\":30"));
}

TEST(RemoteSettings, WithoutAnybodyToTakeThemBackTheyDoNotCount) {
    RemoteSettingsInForce device;
    ASSERT_TRUE(
        device.manager().take_settings(R"({"min_soc":100})", SettingsCarrier::kShadow).ok());
    device.settings.remote_settings = false;
    ASSERT_TRUE(device.boot());
    EXPECT_TRUE(device.says("\"min_soc\":30"));
    device.settings.remote_settings = true;
    ASSERT_TRUE(device.boot());
    EXPECT_TRUE(device.says("\"min_soc\":100"));
}

TEST(RemoteSettings, AStricterLimitHoldsAnUpdate) {
    RemoteSettingsInForce device;
    device.source.package = test::make_signed_of_size("1.1.0", 64 * 1024, 2);
    ASSERT_TRUE(device.manager().take_settings(R"({"min_soc":90})", SettingsCarrier::kShadow).ok());
    device.battery.values.soc_percent = 80;
    (void)device.mailbox.post(CommandKind::kStartUpdate);
    EXPECT_FALSE(device.run_until([&] { return device.restart.requested; }, 60000));
    ASSERT_TRUE(device.manager().take_settings("{}", SettingsCarrier::kShadow).ok());
    (void)device.mailbox.post(CommandKind::kStartUpdate);
    EXPECT_TRUE(device.run_until([&] {
        if (device.manager().snapshot().state == State::kReadyToApply) {
            (void)device.mailbox.post(CommandKind::kApply);
        }
        return device.restart.requested;
    }));
}

TEST(RemoteSettings, TheOwnersThresholdsStayBelow) {
    RemoteSettingsInForce device;
    ASSERT_TRUE(device.manager().take_settings(R"({"min_soc":50})", SettingsCarrier::kShadow).ok());
    SafetyThresholds own;
    own.min_soc_percent = 60;
    device.manager().set_thresholds(own);
    EXPECT_TRUE(device.says("\"min_soc\":60"));
    own.min_soc_percent = 20;
    device.manager().set_thresholds(own);
    EXPECT_TRUE(device.says("\"min_soc\":50"));
}

TEST(RemoteSettings, ChecksBeginInTheWindowAlone) {
    RemoteSettingsInForce device;
    device.source.package = test::make_signed_of_size("1.0.0", 32 * 1024, 1);
    ASSERT_TRUE(
        device.manager()
            .take_settings(R"({"check_interval_s":600,"window":{"from":"06:00","minutes":60}})",
                           SettingsCarrier::kShadow)
            .ok());
    const uint32_t before = device.source.starts;
    (void)device.run_until([] { return false; }, 5 * 3600000);
    EXPECT_EQ(device.source.starts, before);
    (void)device.run_until([] { return false; }, 2 * 3600000);
    EXPECT_GT(device.source.starts, before);
    const uint32_t after = device.source.starts;
    (void)device.run_until([] { return false; }, 10 * 3600000);
    EXPECT_EQ(device.source.starts, after);
}

TEST(RemoteSettings, WhatSomebodyPutsInIsLookedAtAtAnyTime) {
    RemoteSettingsInForce device;
    Arrival card;
    Arrival cloud;
    card.fake.package = cloud.fake.package = test::make_signed_of_size("1.0.0", 32 * 1024, 1);
    device.source.offered = false;
    device.extra_source = {&card, &card.fake, SourceKind::kSdCard};
    device.second_source = {&cloud, &cloud.fake, SourceKind::kAwsIot};
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(
        device.manager()
            .take_settings(R"({"window":{"from":"06:00","minutes":60}})", SettingsCarrier::kShadow)
            .ok());
    cloud.has_come = true;
    (void)device.run_until([] { return false; }, 60000);
    EXPECT_EQ(cloud.fake.starts, 0U);
    EXPECT_TRUE(cloud.has_come);  // not forgotten
    card.has_come = true;
    (void)device.run_until([] { return false; }, 60000);
    EXPECT_GT(card.fake.starts, 0U);
}

}  // namespace
}  // namespace ota
