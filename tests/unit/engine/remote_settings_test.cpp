// Settings from afar in the engine: durable, stricter alone, and the time of day in which updates
// begin.
#include "engine/components_bench.hpp"

namespace ota {
namespace {

struct RemoteSettingsInForce : Device {
    RemoteSettingsInForce() {
        put_image(0, test::make_signed_of_size("1.0.0", 32 * 1024, 1));
        clock.set_wall(kFirstBuild + 86400);  // midnight
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
    ASSERT_TRUE(device.manager().take_settings(R"({"min_soc":70,"min_temperature":10})").ok());
    EXPECT_TRUE(device.says("\"min_soc\":70"));
    ASSERT_TRUE(device.boot());
    EXPECT_TRUE(device.says("\"min_soc\":70"));
    EXPECT_TRUE(device.says("\"min_temperature\":10"));
    EXPECT_FALSE(device.manager().take_settings("[").ok());
    EXPECT_TRUE(device.says("\"min_soc\":70"));
    ASSERT_TRUE(device.manager().take_settings("{}").ok());
    EXPECT_TRUE(device.says("\"min_soc\":30"));
}

TEST(RemoteSettings, AStricterLimitHoldsAnUpdate) {
    RemoteSettingsInForce device;
    device.source.package = test::make_signed_of_size("1.1.0", 64 * 1024, 2);
    ASSERT_TRUE(device.manager().take_settings(R"({"min_soc":90})").ok());
    device.battery.values.soc_percent = 80;
    (void)device.mailbox.post(CommandKind::kStartUpdate);
    EXPECT_FALSE(device.run_until([&] { return device.restart.requested; }, 60000));
    ASSERT_TRUE(device.manager().take_settings("{}").ok());
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
    ASSERT_TRUE(device.manager().take_settings(R"({"min_soc":50})").ok());
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
            .take_settings(R"({"check_interval_s":600,"window":{"from":"06:00","minutes":60}})")
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

}  // namespace
}  // namespace ota
