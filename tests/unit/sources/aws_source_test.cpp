// AWS IoT from the connection to the installed package, against a broker in memory.
#include "sources/aws/aws_source.hpp"

#include "sources/aws_bench.hpp"

namespace ota {
namespace {

TEST(AwsIot, JobIsInstalledAndReportedOnce) {
    Thing thing;
    ASSERT_TRUE(thing.update());
    EXPECT_EQ(thing.running_version(), "1.1.0");
    EXPECT_TRUE(has(thing.updates.front(), "download 0"));
    EXPECT_TRUE(has(thing.updates.back(), "SUCCEEDED"));
    EXPECT_TRUE(has(thing.updates.back(), "1.1.0"));
    EXPECT_EQ(thing.manager().log().job().stage, JobRecord::Stage::kDone);
    const size_t before = thing.updates.size();
    thing.power_on();
    (void)thing.live([] { return false; }, 3600000);
    EXPECT_EQ(thing.updates.size(), before);
    EXPECT_LE(thing.requests, 5U);  // of eight blocks each, and a look
}

TEST(AwsIot, SubscriptionsAndAlpnOn443) {
    Thing thing;
    (void)thing.live([&] { return thing.mqtt.connections != 0; });
    ASSERT_EQ(thing.mqtt.filters.size(), 8U);
    for (const std::string& filter : thing.mqtt.filters) EXPECT_TRUE(filter.starts_with(kThings));
    EXPECT_EQ(thing.mqtt.alpn, "");
    AwsLink::Config config;
    config.endpoint = "x";
    config.thing = "t";
    config.port = 443;
    config.shadow = true;
    AwsLink link(thing.mqtt, thing.clock, thing.manager().time_floor(), config);
    MqttMessage message;
    EXPECT_FALSE(link.take(message));
    EXPECT_EQ(thing.mqtt.alpn, "x-amzn-mqtt-ca");
    EXPECT_EQ(thing.mqtt.filters.size(), 13U);
}

TEST(AwsIot, LinkComesBackWithGrowingPauses) {
    Thing thing;
    thing.has_job = false;
    (void)thing.live([] { return false; }, 5000);
    std::vector<Millis> pauses;
    for (int i = 0; i < 6; ++i) {
        const uint32_t before = thing.mqtt.connections;
        thing.mqtt.failure = {Code::kUnavailable, Origin::kSource, Detail::kConnectionLost};
        const Millis begin = thing.clock.now();
        ASSERT_TRUE(thing.live([&] { return thing.mqtt.connections > before; }, 300000));
        pauses.push_back(thing.clock.now() - begin);
    }
    EXPECT_GT(pauses.back(), 15000U);
    EXPECT_LE(pauses.back(), 170000U);
}

// FreeRTOS/iot-reference-esp32#8, OTA#442: no order, some twice, some not at all.
TEST(AwsIot, BlocksOutOfOrderTwiceAndLost) {
    for (const bool reverse : {false, true}) {
        Thing thing;
        thing.reverse = reverse;
        thing.twice = true;
        thing.lose = 5;
        EXPECT_TRUE(thing.update());
        EXPECT_EQ(thing.running_version(), "1.1.0");
    }
}

TEST(AwsIot, StreamInJson) {
    Thing thing;
    thing.streams = StreamForm::kJson;
    thing.power_on();
    thing.reverse = true;
    thing.lose = 5;
    EXPECT_TRUE(thing.update());
    EXPECT_EQ(thing.running_version(), "1.1.0");
}

TEST(AwsIot, StreamGoesOnInTheNextConnection) {
    Thing thing;
    ASSERT_TRUE(thing.live([&] { return thing.requests == 3; }));
    thing.mqtt.failure = {Code::kUnavailable, Origin::kSource, Detail::kConnectionLost};
    EXPECT_TRUE(thing.update());
    EXPECT_LE(thing.requests, 8U);
}

// aws/amazon-freertos#875: no answer to the first question, ever.
TEST(AwsIot, SilenceIsAskedAgain) {
    Thing thing;
    (void)thing.run_until([&] { return !thing.mqtt.sent.empty(); }, 60000);
    thing.seen = thing.mqtt.sent.size();  // lost
    EXPECT_TRUE(thing.update());
}

TEST(AwsIot, VersionMismatchIsCorrectedAndSentAgain) {
    Thing thing;
    ASSERT_TRUE(thing.live([&] { return !thing.updates.empty(); }));
    ASSERT_TRUE(thing.live([] { return false; }) && thing.restart_requested());
    thing.power_on(ResetReason::kSoftware);
    thing.rejection = "VersionMismatch";
    EXPECT_TRUE(thing.is_told());
}

// aws-iot-device-sdk: what is over in the cloud is over here, and the queue goes on.
TEST(AwsIot, JobThatIsOverInTheCloudIsOverHere) {
    for (const char* code :
         {"InvalidStateTransition", "ResourceNotFound", "TerminalStateReached"}) {
        Thing thing;
        ASSERT_TRUE(thing.live([] { return false; }) && thing.restart_requested());
        thing.power_on(ResetReason::kSoftware);
        thing.rejection = code;
        EXPECT_TRUE(thing.live(
            [&] { return thing.manager().log().job().stage == JobRecord::Stage::kDone; }));
        EXPECT_EQ(thing.running_version(), "1.1.0");
    }
}

TEST(AwsIot, ThrottledReportIsRepeatedUntilItIsTaken) {
    Thing thing;
    ASSERT_TRUE(thing.live([] { return false; }) && thing.restart_requested());
    thing.power_on(ResetReason::kSoftware);
    thing.rejection = "RequestThrottled";
    EXPECT_TRUE(thing.is_told());
}

// FreeRTOS/iot-reference-esp32#120, OTA#506: the report is owed over restarts, and sent once.
TEST(AwsIot, ReportIsOwedWithoutAConnection) {
    Thing thing;
    ASSERT_TRUE(thing.live([] { return false; }) && thing.restart_requested());
    thing.mqtt.is_up = false;
    thing.power_on(ResetReason::kSoftware);
    (void)thing.live([&] { return !thing.manager().snapshot().trial; });
    (void)thing.live([] { return false; }, 60000);
    EXPECT_EQ(thing.manager().log().job().stage, JobRecord::Stage::kOwed);
    thing.power_on();
    thing.mqtt.is_up = true;
    EXPECT_TRUE(thing.live([&] { return thing.status == "OVER"; }));
    size_t succeeded = 0;
    for (const std::string& update : thing.updates) succeeded += has(update, "SUCCEEDED") ? 1U : 0U;
    EXPECT_EQ(succeeded, 1U);
}

// Notifications are not repeated: what came during an outage is asked for.
TEST(AwsIot, JobThatCameDuringAnOutageIsFound) {
    Thing thing;
    thing.has_job = false;
    (void)thing.live([] { return false; }, 30000);
    thing.mqtt.failure = {Code::kUnavailable, Origin::kSource, Detail::kConnectionLost};
    thing.mqtt.is_up = false;
    (void)thing.live([] { return false; }, 10000);
    thing.has_job = true;
    thing.mqtt.is_up = true;
    EXPECT_TRUE(thing.update());
}

// A URL that can't be used is told, and the queue goes on.
TEST(AwsIot, PackageThatCannotBeFetchedIsRejected) {
    Thing thing;
    thing.document =
        R"({"bess_ota":1,"url":"http://elsewhere/x"})";  // and there is no HTTP client here
    EXPECT_TRUE(thing.is_told());
    EXPECT_TRUE(has(thing.updates.back(), "REJECTED"));
}

// Power lost between the word of the restart and the slot's arming, at each flash operation.
TEST(AwsIot, PowerLostAroundTheRestartLosesNoReport) {
    for (uint64_t cut = 1; cut < 12; ++cut) {
        Thing thing;
        thing.settings.automatic_update = false;
        thing.power_on();
        (void)thing.post(CommandKind::kStartUpdate);
        ASSERT_TRUE(thing.live([&] { return thing.state() == State::kReadyToApply; }));
        thing.flash.cut_at(cut, CutKind::kClean, 1);
        (void)thing.post(CommandKind::kApply);
        (void)thing.live([] { return false; }, 60000);
        const bool restarts = thing.restart_requested();
        thing.flash.power_on();
        thing.settings.automatic_update = true;
        thing.power_on(restarts ? ResetReason::kSoftware : ResetReason::kPowerOn);
        if (thing.running_version() != "1.1.0") {
            ASSERT_TRUE(thing.live([] { return false; }) && thing.restart_requested()) << cut;
            thing.power_on(ResetReason::kSoftware);
        }
        EXPECT_TRUE(thing.is_told()) << cut;
        EXPECT_TRUE(has(thing.updates.back(), "SUCCEEDED")) << cut;
    }
}

// It waits for a person, for weeks: the cloud hears of it, and takes it back.
TEST(AwsIot, CancelledWhileItWaitsToBeApplied) {
    Thing thing;
    thing.settings.automatic_update = false;
    thing.power_on();
    (void)thing.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(thing.live([&] { return thing.state() == State::kReadyToApply; }));
    const size_t before = thing.updates.size();
    (void)thing.live([] { return false; }, 2 * 3600000);
    EXPECT_GE(thing.updates.size(), before + 5);
    thing.status = "OVER";
    thing.notify();
    EXPECT_TRUE(thing.live([&] { return thing.state() == State::kAborted; }, 10000));
    EXPECT_EQ(thing.detail(), Detail::kJobGone);
}

TEST(AwsIot, RevertedImageIsToldAndNotBegunAgain) {
    Thing thing;
    ASSERT_TRUE(thing.live([] { return false; }) && thing.restart_requested());
    thing.probe.health = Health::kFail;
    thing.power_on(ResetReason::kSoftware);
    ASSERT_TRUE(thing.live([] { return false; }) && thing.restart_requested());
    thing.probe.health = Health::kPass;
    thing.power_on(ResetReason::kSoftware);
    EXPECT_TRUE(thing.live([&] { return thing.status == "OVER"; }));
    EXPECT_TRUE(has(thing.updates.back(), "FAILED"));
    // The cloud tries it once more: another execution, and not with us.
    thing.execution = 2;
    thing.version = 1;
    thing.status = "QUEUED";
    thing.notify();
    EXPECT_TRUE(thing.live([&] { return thing.status == "OVER"; }));
    EXPECT_TRUE(has(thing.updates.back(), "REJECTED"));
    EXPECT_EQ(thing.running_version(), "1.0.0");
}

// It says nothing about the image, until it has happened too often.
TEST(AwsIot, PowerLostInTheTrialTakesTheJobOnceMore) {
    for (const int losses : {1, 9}) {
        Thing thing;
        for (int i = 0; i < losses && thing.end.empty(); ++i) {
            if (!thing.live([&] { return !thing.end.empty(); }) || !thing.restart_requested())
                break;
            thing.power_on(ResetReason::kSoftware);
            ASSERT_EQ(thing.running_version(), "1.1.0");
            thing.power_on();
            ASSERT_EQ(thing.running_version(), "1.0.0");
        }
        if (losses == 1) {
            EXPECT_TRUE(thing.update());
            EXPECT_EQ(thing.end, "SUCCEEDED");
        } else {
            EXPECT_TRUE(thing.is_told());
            EXPECT_EQ(thing.end, "REJECTED");
            EXPECT_EQ(thing.running_version(), "1.0.0");
        }
    }
}

TEST(AwsIot, ChangedStreamIsNotMixed) {
    Thing thing;
    ASSERT_TRUE(thing.live([&] { return thing.requests == 3; }));
    const Buffer changed = {0xA1, 0x61, 'o', 0x6F, 'V', 'e', 'r', 's', 'i', 'o',
                            'n',  'M',  'i', 's',  'm', 'a', 't', 'c', 'h'};
    thing.mqtt.deliver(kThings + "streams/s1/rejected/cbor", changed);
    EXPECT_TRUE(thing.live([&] { return thing.events.last(State::kFailed) != nullptr; }));
    EXPECT_EQ(thing.detail(), Detail::kFileChanged);
}

TEST(AwsIot, MessagesOfOthersAndNonsenseChangeNothing) {
    Thing thing;
    ASSERT_TRUE(thing.live([&] { return thing.requests == 2; }));
    for (const char* topic :
         {"$aws/things/other/jobs/notify-next", "$aws/things/bess-1/jobs/notify-next",
          "$aws/things/bess-1/streams/s1/data/cbor", "$aws/things/bess-1/streams/s1",
          "$aws/things/bess-1/streams/other/data/cbor", "x", ""}) {
        thing.mqtt.deliver(topic, "{nonsense");
    }
    EXPECT_TRUE(thing.update());
}

}  // namespace
}  // namespace ota
