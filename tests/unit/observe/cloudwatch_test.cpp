// CloudWatch's uploader against a service in memory: what it asks in which order, what it does when
// it is refused, and that nothing is lost that need not be.
#include "observe/cloudwatch.hpp"

#include <nlohmann/json.hpp>

#include "support/fake_http.hpp"
#include "support/fakes.hpp"
#include "support/log_sink.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

using nlohmann::json;
using test::HttpAnswer;
using test::log_record;

constexpr UnixTime kNow = 1795999323;  // Mon, 30 Nov 2026 00:42:03 GMT
constexpr char kDate[] = "Mon, 30 Nov 2026 00:42:03 GMT";

HttpAnswer answer(uint16_t status, const std::string& body) {
    HttpAnswer out = test::http_answer(status, "Date", kDate);
    out.body.assign(body.begin(), body.end());
    return out;
}

HttpAnswer credentials(const std::string& expires = "2026-11-30T01:42:03Z") {
    return answer(200, R"({"credentials":{"accessKeyId":"ID","secretAccessKey":"SECRET",)"
                       R"("sessionToken":"TOKEN","expiration":")" +
                           expires + "\"}}");
}

HttpAnswer refusal(const std::string& type, uint16_t status = 400) {
    return answer(status, R"({"__type":"com.amazonaws.logs#)" + type + R"(","message":"no"})");
}

const HttpAnswer kTaken = answer(200, R"({"nextSequenceToken":"1"})");

struct Cloud : testing::Test {
    Cloud() { clock.set_wall(0); }
    void answers(std::initializer_list<HttpAnswer> list) {
        http.script.insert(http.script.end(), list);
    }
    void write(uint32_t count = 1, LogLevel level = LogLevel::kInfo) {
        for (uint32_t i = 0; i < count; ++i) {
            cloud.take(log_record("line", clock.now(), ++sequence, level));
        }
    }
    void pass(Millis time) {
        for (Millis at = 0; at < time; at += 100) {
            clock.advance(100);
            cloud.step();
        }
    }
    std::string action(size_t i) const {
        const std::string target = http.requests.at(i).field("X-Amz-Target");
        return target.empty() ? "credentials" : target.substr(target.find('.') + 1);
    }
    std::vector<std::string> actions() const {
        std::vector<std::string> out;
        for (size_t i = 0; i < http.requests.size(); ++i) out.push_back(action(i));
        return out;
    }
    json sent(size_t i) const { return json::parse(http.requests.at(i).body, nullptr, false); }
    json last() const { return sent(http.requests.size() - 1); }

    VirtualClock clock;
    test::FakeHttpClient http;
    CloudWatch cloud{http,
                     clock,
                     TimeFloor(),
                     {"logs.example", "eu-central-1", "/bess/ota", "bess-1", "creds.example",
                      "bess-log", "bess-1", HttpTls{"CA", "CERT", "KEY", nullptr, 0}}};
    uint32_t sequence = 0;
};

TEST_F(Cloud, CredentialsThenABatch) {
    answers({credentials(), kTaken});
    write(3);
    pass(CloudWatch::kFlushAfter - 1000);
    EXPECT_TRUE(http.requests.empty());
    pass(2000);
    ASSERT_EQ(actions(), (std::vector<std::string>{"credentials", "PutLogEvents"}));
    EXPECT_EQ(http.requests[0].url, "https://creds.example/role-aliases/bess-log/credentials");
    EXPECT_EQ(http.requests[0].field("x-amzn-iot-thingname"), "bess-1");
    EXPECT_TRUE(http.requests[0].client_certificate);
    EXPECT_EQ(http.requests[1].url, "https://logs.example/");
    EXPECT_FALSE(http.requests[1].client_certificate);
    EXPECT_EQ(http.requests[1].field("X-Amz-Security-Token"), "TOKEN");
    const std::string authorization = http.requests[1].field("Authorization");
    EXPECT_TRUE(authorization.starts_with(
        "AWS4-HMAC-SHA256 Credential=ID/20261130/eu-central-1/logs/aws4_request, SignedHeaders="
        "content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature="));
    const json body = sent(1);
    EXPECT_EQ(body["logGroupName"], "/bess/ota");
    EXPECT_EQ(body["logStreamName"], "bess-1");
    ASSERT_EQ(body["logEvents"].size(), 3U);
    // A minute ago, by the server's time: the device has no clock.
    const int64_t at = body["logEvents"][0]["timestamp"];
    EXPECT_GT(at, (kNow - 62) * 1000);
    EXPECT_LT(at, (kNow - 58) * 1000);
    EXPECT_TRUE(cloud.is_idle());
    EXPECT_EQ(cloud.lost(), 0U);
}

TEST_F(Cloud, ErrorsDoNotWait) {
    answers({credentials(), kTaken});
    write(1, LogLevel::kError);
    pass(1000);
    EXPECT_EQ(actions().size(), 2U);
}

TEST_F(Cloud, AFloodOfErrorsIsSentTogether) {
    answers({credentials()});
    for (int i = 0; i < 20; ++i) {
        http.script.push_back(kTaken);
        write(1, LogLevel::kError);
        pass(1000);
    }
    EXPECT_LE(http.requests.size(), 1 + 20 * 1000 / CloudWatch::kLeastGap + 1);
    EXPECT_GE(http.requests.size(), 4U);
}

TEST_F(Cloud, CredentialsAreKeptUntilTheyAreStale) {
    answers({credentials(), kTaken, kTaken, credentials(), kTaken});
    write(1, LogLevel::kError);
    pass(1000);
    write(1, LogLevel::kError);
    pass(10000);
    EXPECT_EQ(actions().size(), 3U);
    // The fake's time stands still; that of the device goes on.
    pass(56 * 60000);
    write(1, LogLevel::kError);
    pass(1000);
    EXPECT_EQ(action(3), "credentials");
}

TEST_F(Cloud, TheStreamIsMadeOnce) {
    answers({credentials(), refusal("ResourceNotFoundException"), answer(200, ""), kTaken});
    write(1, LogLevel::kError);
    pass(2000);
    EXPECT_EQ(actions(), (std::vector<std::string>{"credentials", "PutLogEvents", "CreateLogStream",
                                                   "PutLogEvents"}));
    EXPECT_EQ(sent(2)["logStreamName"], "bess-1");
    EXPECT_EQ(sent(1), sent(3));
    EXPECT_TRUE(cloud.is_idle());
}

TEST_F(Cloud, TheGroupIsMadeWhereThereIsNone) {
    answers({credentials(), refusal("ResourceNotFoundException"),
             refusal("ResourceNotFoundException"), answer(200, ""), answer(200, ""), kTaken});
    write(1, LogLevel::kError);
    pass(2000);
    EXPECT_EQ(actions(),
              (std::vector<std::string>{"credentials", "PutLogEvents", "CreateLogStream",
                                        "CreateLogGroup", "CreateLogStream", "PutLogEvents"}));
    EXPECT_FALSE(sent(3).contains("logStreamName"));
}

TEST_F(Cloud, WhatExistsIsFine) {
    answers({credentials(), refusal("ResourceNotFoundException"),
             refusal("ResourceAlreadyExistsException"), kTaken});
    write(1, LogLevel::kError);
    pass(2000);
    EXPECT_TRUE(cloud.is_idle());
}

TEST_F(Cloud, AStreamThatCannotBeMadeIsNotTriedForEver) {
    answers({credentials()});
    for (int i = 0; i < 200; ++i) http.script.push_back(refusal("ResourceNotFoundException"));
    write(1, LogLevel::kError);
    pass(60000);
    EXPECT_LT(http.requests.size(), 40U);
    EXPECT_GT(http.requests.size(), 6U);
    EXPECT_FALSE(cloud.is_idle());
}

TEST_F(Cloud, ThrottledIsLaterWithTheSameEvents) {
    for (const HttpAnswer& busy :
         {refusal("ThrottlingException"), refusal("ServiceUnavailableException", 503),
          answer(500, "<html>"), answer(400, "<ErrorResponse>")}) {
        http.script = {credentials(), busy, busy, kTaken};
        http.requests.clear();
        CloudWatch own{
            http, clock, TimeFloor(), {"logs.example", "r", "g", "s", "c", "a", "t", HttpTls()}};
        own.take(log_record("line", clock.now(), 1, LogLevel::kError));
        for (int i = 0; i < 100; ++i) {
            clock.advance(100);
            own.step();
        }
        EXPECT_EQ(http.requests.size(), 4U);
        EXPECT_TRUE(own.is_idle());
        EXPECT_EQ(own.lost(), 0U);
    }
}

TEST_F(Cloud, ALostConnectionLosesNoLine) {
    HttpAnswer lost;
    lost.failure = {Code::kUnavailable, Origin::kSource, Detail::kConnectionLost};
    answers({lost, lost, credentials(), lost, kTaken});
    write(2, LogLevel::kError);
    pass(30000);
    EXPECT_EQ(http.requests.size(), 5U);
    EXPECT_EQ(last()["logEvents"].size(), 2U);
    EXPECT_TRUE(cloud.is_idle());
}

TEST_F(Cloud, ASilentServerIsGivenUp) {
    answers({credentials()});
    http.idle_reads = 1000000;
    write(1, LogLevel::kError);
    pass(HttpExchange::kTimeout + 1000);
    EXPECT_FALSE(http.open);
    EXPECT_EQ(cloud.trouble().code(), Code::kTimeout);
}

TEST_F(Cloud, ExpiredCredentialsAreRenewedOnce) {
    answers({credentials(), refusal("ExpiredTokenException"), credentials(), kTaken});
    write(1, LogLevel::kError);
    pass(2000);
    EXPECT_EQ(actions(), (std::vector<std::string>{"credentials", "PutLogEvents", "credentials",
                                                   "PutLogEvents"}));
    EXPECT_TRUE(cloud.is_idle());
}

TEST_F(Cloud, ASignatureThatIsRefusedIsNoReasonToHammer) {
    for (int i = 0; i < 100; ++i) {
        http.script.push_back(credentials());
        http.script.push_back(answer(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>"));
    }
    write(1, LogLevel::kError);
    pass(60000);
    EXPECT_LT(http.requests.size(), 40U);
}

TEST_F(Cloud, I05_times_from_before_the_clock_was_set_are_put_right) {
    HttpAnswer skewed = refusal("InvalidSignatureException");
    skewed.fields = {{"Date", "Mon, 30 Nov 2026 02:00:00 GMT"}};
    answers(
        {credentials("2026-11-30T09:42:03Z"), skewed, credentials("2026-11-30T09:42:03Z"), kTaken});
    http.script[2].fields = skewed.fields;
    write(1, LogLevel::kError);
    pass(2000);
    ASSERT_EQ(http.requests.size(), 4U);
    EXPECT_EQ(http.requests[1].field("X-Amz-Date").substr(0, 11), "20261130T00");
    EXPECT_EQ(http.requests[3].field("X-Amz-Date").substr(0, 11), "20261130T02");
}

TEST_F(Cloud, WithoutPermissionItRests) {
    answers({credentials(), refusal("AccessDeniedException")});
    write(1, LogLevel::kError);
    pass(CloudWatch::kWhileForbidden - 10000);
    EXPECT_EQ(http.requests.size(), 2U);
}

TEST_F(Cloud, ACertificateWithoutTheRoleRests) {
    answers({answer(403, R"({"message":"Access Denied"})")});
    write(1, LogLevel::kError);
    pass(60000);
    EXPECT_EQ(http.requests.size(), 1U);
    EXPECT_EQ(cloud.trouble().code(), Code::kUnauthenticated);
}

TEST_F(Cloud, BrokenCredentialsAreNotUsed) {
    for (const char* body :
         {"", "{}", "[1]", R"({"credentials":{"accessKeyId":"ID"}})", R"({"credentials":"x"})",
          R"({"credentials":{"accessKeyId":1,"secretAccessKey":"S","sessionToken":"T"}})"}) {
        RoleCredentials out;
        EXPECT_FALSE(parse_role_credentials(body, out).ok()) << body;
        EXPECT_FALSE(out.is_set());
    }
    const std::string much(3000, 't');
    RoleCredentials out;
    EXPECT_TRUE(parse_role_credentials(R"({"credentials":{"accessKeyId":"I","secretAccessKey":)"
                                       R"("S","sessionToken":")" +
                                           much + "\"}}",
                                       out)
                    .is(Code::kNoSpace));
}

// A service that takes no batch with a certain event.
struct PickyHttpClient final : test::FakeHttpClient {
    Status start(const HttpRequest& request, HttpHeadSink& head) override {
        std::string body;
        for (const Bytes piece : request.body) body.append(piece.begin(), piece.end());
        const bool is_poisoned = body.find(":3 line") != std::string::npos;
        script = {body.empty() ? credentials()
                               : (is_poisoned ? refusal("InvalidParameterException") : kTaken)};
        if (!body.empty() && !is_poisoned) taken += body;
        return FakeHttpClient::start(request, head);
    }
    std::string taken;
};

TEST_F(Cloud, ABatchThatIsNotTakenIsSplitUntilOneIsLeft) {
    PickyHttpClient picky;
    CloudWatch own{
        picky, clock, TimeFloor(), {"logs.example", "r", "g", "s", "c", "a", "t", HttpTls()}};
    for (uint32_t i = 1; i <= 8; ++i)
        own.take(log_record("line", clock.now(), i, LogLevel::kError));
    for (int i = 0; i < 6000 && !own.is_idle(); ++i) {
        clock.advance(100);
        own.step();
    }
    EXPECT_TRUE(own.is_idle());
    EXPECT_EQ(own.lost(), 1U);
    for (int i = 1; i <= 8; ++i) {
        const std::string line = ":" + std::to_string(i) + " line";
        EXPECT_EQ(picky.taken.find(line) != std::string::npos, i != 3) << i;
    }
}

TEST_F(Cloud, I06_rejected_events_are_counted_and_it_goes_on) {
    answers({credentials(),
             answer(200, R"({"rejectedLogEventsInfo":{"tooOldLogEventEndIndex":2,)"
                         R"("expiredLogEventEndIndex":1,"tooNewLogEventStartIndex":4}})")});
    write(5, LogLevel::kError);
    pass(1000);
    EXPECT_TRUE(cloud.is_idle());
    EXPECT_EQ(cloud.lost(), 3U);
}

TEST_F(Cloud, OlderServicesWantAToken) {
    answers({credentials(),
             answer(400, R"({"__type":"InvalidSequenceTokenException",)"
                         R"("expectedSequenceToken":"4711","message":"x"})"),
             refusal("DataAlreadyAcceptedException")});
    write(1, LogLevel::kError);
    pass(5000);
    EXPECT_EQ(last()["sequenceToken"], "4711");
    EXPECT_TRUE(cloud.is_idle());
}

TEST_F(Cloud, OfflineForDaysTheNewestLinesAreKept) {
    HttpAnswer lost;
    lost.failure = {Code::kUnavailable, Origin::kSource, Detail::kDnsFailed};
    http.script.assign(10000, lost);
    for (int hour = 0; hour < 72; ++hour) {
        write(10);
        pass(3600000);
    }
    EXPECT_LT(http.requests.size(), 72U * 3600 / 200);  // the backoff's cap, with its jitter
    http.script = {credentials("2026-12-30T01:42:03Z")};
    for (int i = 0; i < 20; ++i) http.script.push_back(kTaken);
    pass(3600000);
    EXPECT_TRUE(cloud.is_idle());
    EXPECT_NE(http.requests.back().body.find(":720 line"), std::string::npos);
}

}  // namespace
}  // namespace ota
