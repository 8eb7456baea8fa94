// The named shadow "ota": what is asked, taken and reported, and when it is silent.
#include "sources/aws/settings_shadow.hpp"

#include "support/fake_mqtt.hpp"
#include "support/fakes.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

const std::string kTopic = "$aws/things/t/shadow/name/ota/";

struct FakeHost final : SettingsHost {
    Status take_settings(std::string_view json, SettingsCarrier) override {
        taken.emplace_back(json);
        return status;
    }
    void describe_settings(SettingsText& out) const override { out.assign(in_force); }
    std::vector<std::string> taken;
    std::string in_force = R"({"min_soc":30})";
    Status status;
};

struct Shadow : testing::Test {
    Shadow() { step(); }
    void step(Millis time = 0) {
        for (Millis at = 0; at <= time; at += 100) {
            MqttMessage message;
            while (link.take(message)) {
                const std::string_view topic = message.topic;
                shadow.take(topic.substr(std::string_view("shadow/name/ota/").size()),
                            message.payload);
            }
            shadow.step();
            if (time != 0) clock.advance(100);
        }
    }
    void say(const std::string& topic, const std::string& text) {
        mqtt.deliver(kTopic + topic, text);
        step();
    }
    // An answer to the latest request.
    void answer(const std::string& topic, const std::string& members) {
        const std::string text = mqtt.sent.back().text();
        const std::string token = text.substr(text.find("\"clientToken"));
        say(topic, "{" + members + (members.empty() ? "" : ",") + token);
    }
    void tell(const std::string& desired, int version = 1) {
        answer("get/accepted", R"("state":{"desired":)" + desired +
                                   R"(,"reported":{"desired":{}}},"metadata":{},"version":)" +
                                   std::to_string(version));
    }
    void take_report() { answer("update/accepted", R"("version":2)"); }
    // Requests since the last call, as letters.
    std::string asked() {
        std::string out;
        for (; seen < mqtt.sent.size(); ++seen) {
            const std::string& topic = mqtt.sent[seen].topic;
            out += topic == kTopic + "get" ? 'g' : topic == kTopic + "update" ? 'u' : '?';
        }
        return out;
    }
    VirtualClock clock;
    test::FakeMqtt mqtt;
    TimeFloor floor;
    AwsLink link{mqtt, clock, floor, {"host", 8883, "t", HttpTls(), StreamForm::kCbor, true}};
    FakeHost host;
    SettingsShadow shadow{link, clock, host, true};
    size_t seen = 0;
};

TEST_F(Shadow, IsFetchedTakenAndReported) {
    EXPECT_EQ(asked(), "g");
    EXPECT_EQ(mqtt.sent[0].text(), R"({"clientToken":"1"})");
    tell(R"({"min_soc":50,"window":{"from":"22:00","minutes":5}})");
    ASSERT_EQ(host.taken.size(), 1U);
    EXPECT_EQ(host.taken[0], R"({"min_soc":50,"window":{"from":"22:00","minutes":5}})");
    EXPECT_EQ(asked(), "u");
    EXPECT_EQ(mqtt.sent.back().text(),
              R"({"state":{"reported":{"min_soc":30}},"clientToken":"2"})");
    take_report();
    step(3600000);
    EXPECT_EQ(asked(), "");
}

TEST_F(Shadow, WithoutOneTheReportMakesIt) {
    answer("get/rejected", R"("code":404,"message":"no shadow")");
    EXPECT_EQ(host.taken.back(), "{}");
    EXPECT_EQ(asked(), "gu");
}

TEST_F(Shadow, WithoutDesiredTheFirmwaresOwnCountsAgain) {
    answer("get/accepted", R"("state":{"reported":{"min_soc":50}},"version":3)");
    EXPECT_EQ(host.taken.back(), "{}");
}

TEST_F(Shadow, ADeltaIsAReasonToFetchTheWhole) {
    tell("{}", 4);
    take_report();
    (void)asked();
    say("update/delta", R"({"version":5,"state":{"min_soc":60}})");
    EXPECT_EQ(asked(), "g");
    EXPECT_EQ(host.taken.size(), 1U);  // not of the delta
    tell(R"({"min_soc":60})", 5);
    // What is refused stays different for good; it is not talked about again.
    EXPECT_EQ(asked(), "");
    say("update/delta", R"({"version":5,"state":{"min_soc":60}})");
    say("update/delta", R"({"version":2,"state":{"min_soc":60}})");
    EXPECT_EQ(asked(), "");
}

TEST_F(Shadow, WhatWasHeardOfMeanwhileIsFetched) {
    tell("{}", 7);
    take_report();
    (void)asked();
    say("update/delta", R"({"version":8,"state":{}})");
    EXPECT_EQ(asked(), "g");
    say("update/delta", R"({"version":9,"state":{}})");  // overtakes the answer
    tell(R"({"min_soc":60})", 8);
    EXPECT_EQ(asked(), "g");
    tell(R"({"min_soc":70})", 9);
    EXPECT_EQ(host.taken.back(), R"({"min_soc":70})");
    EXPECT_EQ(asked(), "");
}

// A member that was taken out makes no delta.
TEST_F(Shadow, AnUpdateOfSomebodyElseIsAReasonToo) {
    tell("{}", 7);
    take_report();
    (void)asked();
    say("update/accepted", R"({"state":{"desired":{"min_soc":null}},"version":8})");
    EXPECT_EQ(asked(), "g");
}

TEST_F(Shadow, AnswersToOthersAreNotOurs) {
    say("get/accepted", R"({"state":{"desired":{"min_soc":1}},"version":1})");
    say("get/accepted", R"({"state":{"desired":{"min_soc":1}},"version":1,"clientToken":"x"})");
    say("get/accepted",
        R"({"state":{"desired":{"min_soc":1}},"version":1,"clientToken":"much longer than ours"})");
    say("get/rejected", R"({"code":404})");
    EXPECT_TRUE(host.taken.empty());
    tell("{}", 1);
    EXPECT_EQ(asked(), "gu");
    say("update/rejected", R"({"code":409,"clientToken":"x"})");
    step(5000);
    take_report();
    step(3600000);
    EXPECT_EQ(asked(), "");
}

TEST_F(Shadow, AReportThatIsRefusedIsRepeatedWithLongerPauses) {
    size_t updates = 0;
    for (int i = 0; i < 36000; ++i) {  // an hour
        step(100);
        for (const char c : asked()) {
            if (c == 'g') tell("{}", 1);
            if (c == 'u') {
                ++updates;
                answer("update/rejected", R"("code":429)");
            }
        }
    }
    EXPECT_GT(updates, 3U);
    EXPECT_LT(updates, 25U);
}

TEST_F(Shadow, SwitchedOffItIsSilent) {
    SettingsShadow off(link, clock, host, false);
    (void)asked();
    for (int i = 0; i < 100; ++i) {
        off.step();
        clock.advance(1000);
    }
    EXPECT_EQ(asked(), "");
}

TEST_F(Shadow, ANewReportIsToldOnce) {
    tell("{}", 1);
    take_report();
    (void)asked();
    host.in_force = R"({"min_soc":55})";
    say("update/delta", R"({"version":2,"state":{}})");
    tell("{}", 2);
    EXPECT_EQ(asked(), "gu");
    take_report();
    say("update/delta", R"({"version":3,"state":{}})");
    tell("{}", 3);
    EXPECT_EQ(asked(), "g");
}

TEST_F(Shadow, SilenceIsAskedAgainWithLongerPauses) {
    step(3600000);
    const size_t gets = asked().size();
    EXPECT_GT(gets, 4U);
    EXPECT_LT(gets, 20U);
    tell("{}");
    step(3600000);  // of the report, too
    EXPECT_GE(asked().size(), 2U);
}

TEST_F(Shadow, RejectionsAreGivenTime) {
    for (const char* code : {R"("code":429)", R"("code":500)", R"("code":"x")", ""}) {
        (void)asked();
        answer("get/rejected", code);
        step(5000);
        EXPECT_EQ(asked(), "") << code;
        step(800000);
        EXPECT_FALSE(asked().empty()) << code;
    }
}

TEST_F(Shadow, EachConnectionBeginsAnew) {
    tell("{}", 7);
    take_report();
    (void)asked();
    mqtt.failure = {Code::kUnavailable, Origin::kSource, Detail::kConnectionLost};
    step(10000);
    EXPECT_EQ(asked().substr(0, 1), "g");
    tell("{}", 1);  // made anew meanwhile
    EXPECT_EQ(asked(), "u");
    EXPECT_EQ(host.taken.size(), 2U);
}

TEST_F(Shadow, NonsenseChangesNothing) {
    for (const char* text : {"", "x", "[]", "{", R"({"state":1})", R"({"state":{"desired":{)"}) {
        say("update/delta", text);
    }
    EXPECT_EQ(asked(), "g");
    say("get/accepted", R"({"state":{"desired":{"a":)");
    EXPECT_TRUE(host.taken.empty());
    say("update/documents", "{}");
    say("get/accepted", R"({"state":{"desired":{}},"version":1})");  // nothing was asked
    EXPECT_TRUE(host.taken.empty());
}

TEST_F(Shadow, WhatFlashDoesNotHoldIsNotReported) {
    host.status = {Code::kStorage, Origin::kInstall};
    (void)asked();
    tell(R"({"min_soc":50})");
    EXPECT_EQ(asked(), "");
}

}  // namespace
}  // namespace ota
