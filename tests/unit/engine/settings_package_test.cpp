// Settings that a signed package brings, by whatever source.
#include "engine/components_bench.hpp"

namespace ota {
namespace {

constexpr CutKind kCuts[] = {CutKind::kClean, CutKind::kTornBytes, CutKind::kTornBits,
                             CutKind::kHalfErased, CutKind::kUnstable};

test::PackageSpec settings_package(const std::string& document, uint64_t sequence = 100) {
    const Buffer content(document.begin(), document.end());
    test::PackageSpec spec;
    spec.sequence = sequence;
    spec.components = {{.id = {test::id_of("settings")}, .content = content}};
    spec.components[0].parameters = {{18, cbor::bytes(content)}};
    spec.fetch = {{18, cbor::number(2)}, test::kMatch};
    spec.install = {test::kMatch};
    spec.validate = {test::kMatch};
    return spec;
}

struct Sink final : SettingsSink {
    void on_settings(const RemoteSettings&) override { ++taken; }
    void on_refused_setting(std::string_view name, const char*) override { refused += name; }
    int taken = 0;
    std::string refused;
};

struct SettingsBench : ComponentsBench {
    SettingsBench() {
        settings.settings_packages = settings.remote_settings = true;
        EXPECT_TRUE(start_anew());
    }
    bool start_anew() {
        if (!boot()) return false;
        manager().set_settings_sink(sink);
        return true;
    }
    bool says(const char* part) {
        SettingsText text;
        manager().describe_settings(text);
        return text.view().find(part) != std::string_view::npos;
    }
    // The whole way of what lies at the source.
    Detail install() {
        const Detail started = start();
        if (started != Detail::kNone) return started;
        return apply() == State::kIdle ? Detail::kNone : last_detail();
    }
    Sink sink;
};

TEST(SettingsPackage, IsInForceWhenItWasApplied) {
    SettingsBench device;
    device.offer(settings_package(R"({"min_soc":70,"window":{"from":"22:00","minutes":240}})"));
    ASSERT_EQ(device.start(), Detail::kNone);
    EXPECT_TRUE(device.says("\"min_soc\":30"));
    EXPECT_EQ(device.apply(), State::kIdle);
    EXPECT_FALSE(device.restart_requested());
    EXPECT_TRUE(device.says("\"min_soc\":70"));
    EXPECT_TRUE(device.says("22:00"));
    EXPECT_EQ(device.sink.taken, 1);
    EXPECT_EQ(device.manager().snapshot().attempt.outcome, Outcome::kConfirmed);
    EXPECT_EQ(device.outcome_of(ComponentKind::kSettings), ComponentOutcome::kWritten);
    ASSERT_TRUE(device.start_anew());
    EXPECT_TRUE(device.says("\"min_soc\":70"));
}

TEST(SettingsPackage, AnOlderOneIsNotTakenAgain) {
    SettingsBench device;
    device.offer(settings_package(R"({"min_soc":70})", 101));
    ASSERT_EQ(device.install(), Detail::kNone);
    EXPECT_EQ(device.install(), Detail::kVersionSame);
    device.offer(settings_package(R"({"min_soc":40})", 100));
    EXPECT_EQ(device.install(), Detail::kSequenceNumber);
    EXPECT_TRUE(device.says("\"min_soc\":70"));
    device.offer(settings_package("{}", 102));
    ASSERT_EQ(device.install(), Detail::kNone);
    EXPECT_TRUE(device.says("\"min_soc\":30"));
}

TEST(SettingsPackage, FirmwareHasNumbersOfItsOwn) {
    SettingsBench device;
    SuitSpec firmware = SuitBench::spec_of("1.1.0", 100);
    device.source.package = test::make_suit(firmware);
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.apply();
    ASSERT_TRUE(device.restart_and_settle());
    device.manager().set_settings_sink(device.sink);
    device.offer(settings_package(R"({"min_soc":70})", 1000));
    ASSERT_EQ(device.install(), Detail::kNone);
    // What runs is offered still: no fault.
    device.source.package = test::make_suit(firmware);
    EXPECT_EQ(device.install(), Detail::kVersionSame);
    firmware = SuitBench::spec_of("1.2.0", 101);
    device.source.package = test::make_suit(firmware);
    EXPECT_EQ(device.start(), Detail::kNone);
}

TEST(SettingsPackage, DoesNotEndTheLookingForPackages) {
    SettingsBench device;
    device.settings.check_interval_ms = 3600000;
    ASSERT_TRUE(device.start_anew());
    device.offer(settings_package(R"({"check_interval_s":0,"min_soc":70})"));
    ASSERT_EQ(device.install(), Detail::kNone);
    EXPECT_EQ(device.sink.refused, "check_interval_s");
    EXPECT_TRUE(device.says("\"check_interval_s\":3600"));
    EXPECT_TRUE(device.says("\"min_soc\":70"));
}

TEST(SettingsPackage, WhatIsNoDocumentIsTriedOnce) {
    SettingsBench device;
    device.settings.check_interval_ms = 3600000;
    device.settings.automatic_update = true;
    ASSERT_TRUE(device.start_anew());
    device.offer(settings_package("[1]"));
    ASSERT_TRUE(device.run_to(State::kFailed, 2 * 3600000));
    const uint64_t before = device.flash.operations();
    (void)device.run_until([] { return false; }, 24 * 3600000);
    EXPECT_LT(device.flash.operations() - before, 5U);
}

TEST(SettingsPackage, EachMemberIsJudgedByItself) {
    SettingsBench device;
    device.offer(settings_package(R"({"min_soc":5,"max_current":4})"));
    ASSERT_EQ(device.install(), Detail::kNone);
    EXPECT_TRUE(device.says("\"min_soc\":30"));
    EXPECT_TRUE(device.says("\"max_current\":4"));
    EXPECT_EQ(device.sink.refused, "min_soc");
}

TEST(SettingsPackage, WhatIsNoDocumentChangesNothing) {
    SettingsBench device;
    device.offer(settings_package(R"({"min_soc":70})", 100));
    ASSERT_EQ(device.install(), Detail::kNone);
    for (const char* broken : {"[1]", "{\"min_soc\":7", "no json"}) {
        device.offer(settings_package(broken, 101));
        EXPECT_EQ(device.install(), Detail::kJsonForm) << broken;
        EXPECT_TRUE(device.says("\"min_soc\":70")) << broken;
        EXPECT_EQ(device.outcome_of(ComponentKind::kSettings), ComponentOutcome::kFailed);
    }
    // Its number is not used up.
    device.offer(settings_package(R"({"min_soc":50})", 101));
    ASSERT_EQ(device.install(), Detail::kNone);
    EXPECT_TRUE(device.says("\"min_soc\":50"));
}

TEST(SettingsPackage, ByTheOwnersKeyAlone) {
    SettingsBench device;
    test::PackageSpec spec = settings_package(R"({"min_soc":70})");
    spec.keys = {Key::kOtherEc};
    device.offer(spec);
    EXPECT_EQ(device.install(), Detail::kManifestSignature);
    // Another document under the signed digest.
    spec = settings_package(R"({"min_soc":70})");
    const std::string other = R"({"min_soc":30})";
    spec.components[0].parameters = {{18, cbor::bytes(Buffer(other.begin(), other.end()))}};
    device.offer(spec);
    EXPECT_EQ(device.install(), Detail::kImageDigest);
    EXPECT_TRUE(device.says("\"min_soc\":30"));
    EXPECT_EQ(device.sink.taken, 0);
}

TEST(SettingsPackage, ComesAloneAndWhereItIsWanted) {
    SettingsBench device;
    test::PackageSpec with_app = test::app_and_config(image_of("1.1.0"), filled(64, 1), 100);
    with_app.components.push_back(settings_package("{}").components[0]);
    device.offer(with_app);
    EXPECT_EQ(device.start(), Detail::kNothingToActivate);
    test::PackageSpec without = settings_package("{}");
    without.fetch = {{1, {15}}};  // the vendor is ours
    device.offer(without);
    EXPECT_EQ(device.install(), Detail::kPayloadMissing);
    device.offer(settings_package(std::string(513, ' ')));
    EXPECT_EQ(device.install(), Detail::kCborForm);
    device.settings.settings_packages = false;
    ASSERT_TRUE(device.start_anew());
    device.offer(settings_package("{}"));
    EXPECT_EQ(device.start(), Detail::kComponentUnknown);
}

TEST(SettingsPackage, PowerLostInEachFlashOperation) {
    SettingsBench plan;
    plan.offer(settings_package(R"({"min_soc":70})"));
    const uint64_t before = plan.flash.operations();
    ASSERT_EQ(plan.install(), Detail::kNone);
    const uint64_t operations = plan.flash.operations() - before;
    EXPECT_GE(operations, 3U);
    for (uint64_t k = 1; k <= operations; ++k) {
        for (const CutKind kind : kCuts) {
            SettingsBench device;
            device.offer(settings_package(R"({"min_soc":70})"));
            device.flash.cut_at(k, kind, static_cast<uint32_t>(k));
            (void)device.install();
            ASSERT_TRUE(device.flash.is_off()) << k;
            device.flash.power_on();
            ASSERT_TRUE(device.start_anew()) << k;
            // All or nothing; and the same package is taken unless it is known to be in force.
            EXPECT_TRUE(device.says("\"min_soc\":70") || device.says("\"min_soc\":30")) << k;
            const Detail again = device.install();
            EXPECT_TRUE(again == Detail::kNone || again == Detail::kVersionSame) << k;
            EXPECT_TRUE(device.says("\"min_soc\":70")) << k;
        }
    }
}

}  // namespace
}  // namespace ota
