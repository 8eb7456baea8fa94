// Faults that users of other AWS IoT clients reported: groups E and J of the field cases, each with
// its id.
#include <iterator>

#include "sources/aws_bench.hpp"

namespace ota {
namespace {

size_t count_with(const std::vector<std::string>& texts, const std::string& part) {
    size_t count = 0;
    for (const std::string& text : texts) count += has(text, part) ? 1U : 0U;
    return count;
}

// Erases and programs what an update would touch.
class SlotWatch final : public FlashObserver {
  public:
    void on_operation(const FlashOperation& operation) override {
        touched += operation.address >= 0x30000 ? 1U : 0U;  // the second slot
    }
    void on_power_lost() override {}
    size_t touched = 0;
};

TEST(FieldCase, E01_connection_lost_in_a_stream_of_any_number_of_blocks) {
    for (const uint32_t blocks : {266U, 1024U, 1025U, 4096U}) {
        Thing thing({.slot_size = (blocks + 16) * kStreamBlock}, blocks * kStreamBlock - 4096);
        ASSERT_GT(thing.package.size(), (blocks - 2) * size_t{kStreamBlock});
        const size_t requests = (blocks + kStreamWindow / 2 - 1) / (kStreamWindow / 2);
        ASSERT_TRUE(thing.live([&] { return thing.requests == requests / 2; })) << blocks;
        ASSERT_FALSE(thing.restart_requested());
        thing.mqtt.failure = {Code::kUnavailable, Origin::kSource, Detail::kConnectionLost};
        ASSERT_TRUE(thing.update()) << blocks;
        EXPECT_EQ(thing.end, "SUCCEEDED");
        // The look at its start, and the window that was lost.
        EXPECT_LE(thing.requests, requests + 4) << blocks;
    }
}

TEST(FieldCase, E04_no_answer_to_the_first_question) {
    Thing thing;
    thing.silent = true;
    (void)thing.post(CommandKind::kCheck);
    ASSERT_TRUE(thing.live([&] { return thing.state() == State::kChecking; }));
    ASSERT_TRUE(thing.live([&] { return thing.state() == State::kFailed; }, 180000));
    EXPECT_EQ(thing.detail(), Detail::kNoAnswer);
    const size_t asked = thing.mqtt.sent.size();
    EXPECT_GE(asked, 2U);
    (void)thing.live([] { return false; }, 3600000);
    EXPECT_LE(thing.mqtt.sent.size(), asked + 60);  // and not each second
    thing.silent = false;
    ASSERT_TRUE(thing.live([] { return false; }, 3600000) && thing.restart_requested());
    thing.power_on(ResetReason::kSoftware);
    EXPECT_TRUE(thing.is_told());
}

TEST(FieldCase, E06_job_for_the_image_that_runs_already) {
    Thing thing;
    SlotWatch watch;
    thing.flash.set_observer(&watch);
    thing.package = test::make_signed_of_size("1.0.0", 32 * 1024, 1);
    EXPECT_TRUE(thing.is_told());
    EXPECT_EQ(thing.end, "SUCCEEDED");
    EXPECT_TRUE(has(thing.updates.back(), "runs already"));
    EXPECT_EQ(watch.touched, 0U);
    const size_t told = thing.updates.size();
    (void)thing.live([] { return false; }, 24 * 3600000);
    EXPECT_EQ(thing.updates.size(), told);
}

// The image is on trial, and the cloud has another opinion of its job, or none.
TEST(FieldCase, E07_trial_is_decided_here_whatever_the_cloud_says) {
    enum class Cloud { kCanceled, kNone, kOther };
    for (const Cloud cloud : {Cloud::kCanceled, Cloud::kNone, Cloud::kOther}) {
        for (const bool healthy : {true, false}) {
            Thing thing;
            ASSERT_TRUE(thing.live([] { return false; }) && thing.restart_requested());
            if (cloud == Cloud::kCanceled) thing.status = "OVER";
            if (cloud == Cloud::kNone) thing.has_job = false;
            if (cloud == Cloud::kOther) {
                thing.id = "job-2";
                thing.status = "QUEUED";
                thing.document = R"({"operation":"reboot"})";
            }
            thing.probe.health = healthy ? Health::kPass : Health::kFail;
            thing.power_on(ResetReason::kSoftware);
            (void)thing.live([&] { return !thing.manager().snapshot().trial; });
            if (!healthy) {
                ASSERT_TRUE(thing.live([] { return false; }) && thing.restart_requested());
                thing.power_on(ResetReason::kSoftware);
            }
            (void)thing.live([] { return false; }, 60000);
            EXPECT_EQ(thing.running_version(), healthy ? "1.1.0" : "1.0.0");
            EXPECT_EQ(thing.boot_status().state_of(thing.running()), layout::kStateValid);
            EXPECT_EQ(thing.manager().log().job().stage, JobRecord::Stage::kDone);
        }
    }
}

TEST(FieldCase, E10_documents_with_more_and_with_less) {
    const auto file = [](const char* more) {
        return std::string(R"({"filepath":"/a","fileid":0,"certfile":"c",)") + more + "}";
    };
    const auto afr = [](const char* protocols, const std::string& files) {
        return std::string(R"({"afr_ota":{"protocols":)") + protocols +
               R"(,"streamname":"s1","new":{"x":[1,null]},"files":[)" + files + "]}}";
    };
    const std::string good = file(R"("filesize":81920,"sig-sha256-ecdsa":"MEQ=","fileType":7)");
    const std::string url = file(R"("filesize":1,"update_data_url":"https://h/p?a=b")");
    struct Case {
        std::string document;
        bool is_good;
    };
    const Case cases[] = {
        {afr(R"(["MQTT"])", good), true},
        {afr(R"(["HTTP","MQTT"])", url), true},
        {afr(R"(["MQTT","HTTP"])", url), true},
        {afr(R"(["MQTT"])", file(R"("filesize":"81920")")), true},  // JOBS: quoted, no signature
        {afr(R"(["MQTT"])", good + "," + good), false},
        {afr(R"(["MQTT"])", file(R"("filesize":-1)")), false},
        {afr(R"(["MQTT"])", file(R"("filesize":1.5)")), false},
        {afr(R"(["MQTT"])", R"({"fileid":256})"), false},
        {R"({"afr_ota":{"protocols":["MQTT"],"files":[]}})", false},
        {R"({"afr_ota":{"protocols":["MQTT"],"files":{}}})", false},
        {R"({"afr_ota":7})", false},
    };
    for (const Case& c : cases) {
        JobDocument document;
        JobMessage message;
        const std::string text =
            R"({"execution":{"jobId":"j","executionNumber":1,"jobDocument":)" + c.document + "}}";
        ASSERT_TRUE(parse_job_message(as_bytes(text), message, &document).ok()) << c.document;
        ASSERT_TRUE(message.execution.has_value());
        EXPECT_EQ(message.execution->document.ok(), c.is_good) << c.document;
        if (!c.is_good) {
            EXPECT_EQ(message.execution->document.detail(), Detail::kJobDocument) << c.document;
        }
    }
    // And what is refused is told with its reason.
    Thing thing;
    thing.document = afr(R"(["MQTT"])", good + "," + good);
    EXPECT_TRUE(thing.is_told());
    EXPECT_EQ(thing.end, "REJECTED");
    EXPECT_TRUE(has(thing.updates.back(), "job document"));
}

TEST(FieldCase, E12_limits_of_the_service_are_known_beforehand) {
    std::array<uint8_t, StreamCodec::kLongestRequest> bytes{};
    const StreamCodec& codec = stream_codec(StreamForm::kCbor);
    for (const uint32_t size : {256U, 4096U, 131072U}) {
        StreamRequest request;
        request.block_size = size;
        const uint8_t wanted = 1;
        request.wanted = {&wanted, 1};
        EXPECT_TRUE(codec.encode_request(request, bytes).ok()) << size;
    }
    // A stream has no more than 24 MB with our blocks; 2^32 and more is said by nobody else.
    for (const char* size : {"402657280", "4294967296"}) {
        Thing thing;
        thing.document = std::string(R"({"bess_ota":1,"stream":{"id":"s1"},"size":)") + size + "}";
        EXPECT_TRUE(thing.is_told()) << size;
        EXPECT_EQ(thing.end, "REJECTED") << size;
        EXPECT_EQ(thing.requests, 0U) << size;
    }
}

TEST(FieldCase, E13_session_that_is_closed_every_five_seconds) {
    Thing thing;
    thing.has_job = false;
    std::vector<Millis> opened;
    uint32_t connections = thing.mqtt.connections;
    Millis closed_at = 0;
    (void)thing.live(
        [&] {
            const Millis now = thing.clock.now();
            if (thing.mqtt.connections != connections) {
                // One that is open is closed before the next is made.
                EXPECT_EQ(thing.mqtt.connections, connections + 1);
                connections = thing.mqtt.connections;
                opened.push_back(now);
                closed_at = now + 5000;
            }
            if (thing.mqtt.is_open && now >= closed_at) {
                thing.mqtt.failure = {Code::kUnavailable, Origin::kSource, Detail::kMqttRefused};
                closed_at = now + 3600000;
            }
            return false;
        },
        180000);
    ASSERT_GE(opened.size(), 4U);
    EXPECT_LE(opened.size(), 9U);
    const Millis first = opened[1] - opened[0];
    const Millis last = opened.back() - opened[opened.size() - 2];
    EXPECT_GE(last, 3 * first);
    thing.has_job = true;
    EXPECT_TRUE(thing.update());
}

TEST(FieldCase, J05_job_ids_come_back_byte_for_byte) {
    for (const std::string& id :
         {std::string("10"), std::string("100"), std::string("0"), std::string(64, 'j'),
          std::string("a-_b"), std::string("-10"), std::string("1e3")}) {
        Thing thing;
        thing.id = id;
        ASSERT_TRUE(thing.update()) << id;
        EXPECT_EQ(thing.end, "SUCCEEDED") << id;
        for (const test::FakeMqtt::Message& message : thing.mqtt.sent) {
            if (!message.topic.ends_with("/update")) continue;
            EXPECT_EQ(message.topic, kThings + "jobs/" + id + "/update");
        }
    }
    // What AWS would not take as an id is none.
    for (const char* id : {"gr\xC3\xBC\xC3\x9F", "a/b", "a.b", "", "#"}) {
        Thing thing;
        thing.id = id;
        (void)thing.live([] { return false; }, 60000);
        EXPECT_TRUE(thing.updates.empty()) << id;
        EXPECT_EQ(thing.manager().log().job().stage, JobRecord::Stage::kNone) << id;
    }
}

TEST(FieldCase, J07_cancel_between_two_reports_is_not_overwritten) {
    Thing thing({.slot_size = 0x100000}, 512 * 1024);
    ASSERT_TRUE(thing.live([&] { return count_with(thing.updates, "download 25") == 1; }));
    thing.status = "OVER";  // and the notification is lost
    thing.end = "CANCELED";
    const size_t before = thing.updates.size();
    ASSERT_TRUE(thing.live(
        [&] { return thing.state() == State::kFailed || thing.state() == State::kAborted; }));
    EXPECT_EQ(thing.detail(), Detail::kJobGone);
    (void)thing.live([] { return false; }, 3600000);
    // The one that learned of it, and the end, once.
    ASSERT_LE(thing.updates.size(), before + 2);
    EXPECT_TRUE(has(thing.updates.back(), "FAILED"));
    EXPECT_EQ(thing.end, "CANCELED");
    EXPECT_FALSE(thing.restart_requested());
}

TEST(FieldCase, J11_restart_does_not_wait_for_the_report) {
    Thing thing;
    thing.settings.automatic_update = false;
    thing.power_on();
    (void)thing.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(thing.live([&] { return thing.state() == State::kReadyToApply; }));
    thing.mqtt.failure = {Code::kUnavailable, Origin::kSource, Detail::kConnectionLost};
    thing.mqtt.is_up = false;
    const Millis begin = thing.clock.now();
    (void)thing.post(CommandKind::kApply);
    ASSERT_TRUE(thing.live([] { return false; }) && thing.restart_requested());
    EXPECT_LE(thing.clock.now() - begin, 5000U);
    thing.power_on(ResetReason::kSoftware);
    (void)thing.live([&] { return !thing.manager().snapshot().trial; });
    EXPECT_NE(thing.end, "SUCCEEDED");
    thing.mqtt.is_up = true;
    EXPECT_TRUE(thing.is_told());
    EXPECT_EQ(thing.end, "SUCCEEDED");
    EXPECT_EQ(count_with(thing.updates, "SUCCEEDED"), 1U);
}

TEST(FieldCase, J12_same_version_again_says_why) {
    std::vector<std::string> reasons;
    {  // the same version was packed
        Thing thing;
        thing.package = test::make_signed_of_size("1.0.0", 40 * 1024, 9);
        ASSERT_TRUE(thing.is_told());
        reasons.push_back(thing.updates.back());
    }
    {  // booted, and left again
        Thing thing;
        ASSERT_TRUE(thing.live([] { return false; }) && thing.restart_requested());
        thing.probe.health = Health::kFail;
        thing.power_on(ResetReason::kSoftware);
        ASSERT_TRUE(thing.live([] { return false; }) && thing.restart_requested());
        thing.power_on(ResetReason::kSoftware);
        ASSERT_TRUE(thing.is_told());
        reasons.push_back(thing.updates.back());
    }
    {  // crashed before its manager
        Thing thing;
        ASSERT_TRUE(thing.live([] { return false; }) && thing.restart_requested());
        ASSERT_TRUE(thing.boot(ResetReason::kSoftware));
        thing.pair.reset();
        thing.power_on(ResetReason::kPanic);
        EXPECT_EQ(thing.running_version(), "1.0.0");
        ASSERT_TRUE(thing.is_told());
        reasons.push_back(thing.updates.back());
    }
    const char* const expected[] = {"runs already", "left again: a health probe failed",
                                    "left again: crashed before it was confirmed"};
    ASSERT_EQ(reasons.size(), std::size(expected));
    for (size_t i = 0; i < reasons.size(); ++i) {
        EXPECT_TRUE(has(reasons[i], expected[i])) << reasons[i];
    }
}

// aws/amazon-freertos#897: a publish that failed left no timer behind.
TEST(FieldCase, aws_row_02_each_publish_that_fails_is_made_good) {
    for (size_t lost = 1; lost <= 14; ++lost) {
        Thing thing;
        thing.mqtt.refused_publish = lost;
        ASSERT_TRUE(thing.update()) << lost;
        EXPECT_EQ(thing.end, "SUCCEEDED") << lost;
        EXPECT_GE(thing.mqtt.publishes, lost) << "nothing was lost";
    }
}

// aws/amazon-freertos#3368: an answer without a job was taken for a broken one.
TEST(FieldCase, aws_row_08_empty_queue_is_no_fault) {
    Thing thing;
    thing.has_job = false;
    (void)thing.post(CommandKind::kCheck);
    (void)thing.live([&] { return thing.events.last(State::kIdle) != nullptr; });
    ASSERT_NE(thing.events.last(State::kIdle), nullptr);
    EXPECT_EQ(thing.events.last(State::kFailed), nullptr);
}

// espressif/esp-aws-iot#119: a long pre-signed URL, and a document of 32 KiB.
TEST(FieldCase, aws_row_09_long_documents_are_read_or_refused) {
    const std::string document = R"({"bess_ota":1,"stream":{"id":"s1","fileId":0},"note":")";
    {
        Thing thing;
        thing.document = document + std::string(kMaxJobDocument - document.size() - 2, 'n') + "\"}";
        EXPECT_TRUE(thing.update());
        EXPECT_EQ(thing.end, "SUCCEEDED");
    }
    Thing thing;
    thing.document = R"({"bess_ota":1,"url":"https://h/)" + std::string(kMaxUri + 1, 'a') + "\"}";
    EXPECT_TRUE(thing.is_told());
    EXPECT_EQ(thing.end, "REJECTED");
}

// aws/amazon-freertos#637: the next job wrote over the slot that the restart was to boot.
TEST(FieldCase, aws_row_12_no_other_job_begins_before_the_restart) {
    Thing thing;
    thing.settings.automatic_update = false;
    thing.power_on();
    (void)thing.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(thing.live([&] { return thing.state() == State::kReadyToApply; }));
    SlotWatch watch;
    thing.flash.set_observer(&watch);
    thing.id = "job-2";
    thing.status = "QUEUED";
    thing.notify();
    (void)thing.post(CommandKind::kApply);
    ASSERT_TRUE(thing.live([] { return false; }) && thing.restart_requested());
    EXPECT_EQ(watch.touched, 0U);
    thing.power_on(ResetReason::kSoftware);
    EXPECT_EQ(thing.running_version(), "1.1.0");
}

}  // namespace
}  // namespace ota
