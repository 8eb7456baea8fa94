// EspHttpClient over a model of esp_http_client that does what the real one was seen to do: v5.5.5
// and v6.0.2, on loopback.
#include "esp_idf/esp_http.hpp"

#include "contracts/http_client.hpp"
#include "http_model.hpp"

namespace ota {
namespace {

using contract::Exchange;
using contract::pattern;
using idf_model::HttpAnswerOfModel;

class ModelQueue final : public contract::AnswerQueue {
  public:
    void push(const test::HttpAnswer& answer) override {
        HttpAnswerOfModel own;
        own.heads = {{answer.status, answer.fields}};
        own.heads[0].fields.emplace_back("Content-Length", std::to_string(answer.body.size()));
        own.body = answer.body;
        if (answer.lost_after) own.lost_after = *answer.lost_after;
        idf_model::http.answers.push_back(own);
    }
    std::string seen_body() override {
        const std::string& body = idf_model::http.body;
        EXPECT_EQ(idf_model::http.announced, static_cast<int>(body.size()));
        EXPECT_EQ(idf_model::http.method, body.empty() ? HTTP_METHOD_GET : HTTP_METHOD_POST);
        return body;
    }
};

struct EspHttp : testing::Test {
    EspHttp() { idf_model::http = {}; }
    ~EspHttp() override {
        client.close();
        EXPECT_EQ(idf_model::http.clients, 0);
    }
    Exchange exchange(const HttpAnswerOfModel& answer, std::span<const HttpField> fields = {}) {
        idf_model::http.answers.push_back(answer);
        Exchange out;
        out.run(client, "https://server/", {}, 4096, fields);
        return out;
    }
    Detail refusal(int tls_code, int flags, esp_err_t opened = 0x801A) {
        HttpAnswerOfModel answer;
        answer.opened = opened;
        answer.tls_code = tls_code;
        answer.flags = flags;
        return exchange(answer).end.detail();
    }
    EspHttpClient client;
};

TEST_F(EspHttp, KeepsTheContract) {
    ModelQueue queue;
    contract::check_http_client(client, queue, "https://server/", {});
}

TEST_F(EspHttp, SecretsAreSentWhole) {
    const HttpField fields[] = {{"Authorization", "Bearer ", "abc"}, {"Range", "", "bytes=5-"}};
    HttpAnswerOfModel answer;
    answer.body = pattern(10);
    EXPECT_TRUE(exchange(answer, fields).end.is(Code::kEndOfData));
    const idf_model::HttpFields sent = {{"Authorization", "Bearer abc"}, {"Range", "bytes=5-"}};
    EXPECT_EQ(idf_model::http.request, sent);
}

// ESP-IDF 6 knows the status before the head is whole.
TEST_F(EspHttp, HeadThatBreaksOffIsNoAnswer) {
    for (const int status : {200, 304}) {
        HttpAnswerOfModel answer;
        answer.heads = {{status, {}, true}};
        EXPECT_EQ(exchange(answer).end.detail(), Detail::kConnectionLost) << status;
    }
}

TEST_F(EspHttp, InterimAnswersAreNotTheAnswer) {
    HttpAnswerOfModel answer;
    answer.heads = {{100, {}}, {103, {{"ETag", "\"early\""}}}, {200, {{"X-Release-Notes", "n"}}}};
    answer.body = pattern(100);
    const Exchange seen = exchange(answer);
    EXPECT_EQ(seen.head.status(), 200);
    EXPECT_TRUE(seen.head.entity_tag().empty());
    EXPECT_EQ(seen.body.size(), 100U);
}

TEST_F(EspHttp, TrailersAreNoFieldsOfTheHead) {
    HttpAnswerOfModel answer;
    answer.heads = {{200, {{"ETag", "\"head\""}}}};
    answer.body = pattern(100);
    answer.trailers = {{"ETag", "\"trailer\""}};
    EXPECT_EQ(exchange(answer).head.entity_tag(), "\"head\"");
}

// RFC 9110 15.4.5: a 304 may say how long the body would have been.
TEST_F(EspHttp, SomeAnswersHaveNoBody) {
    for (const int status : {204, 304}) {
        HttpAnswerOfModel answer;
        answer.heads = {{status, {{"Content-Length", "5000"}}}};
        answer.body = pattern(5000);
        answer.lost_after = 0;
        const Exchange seen = exchange(answer);
        EXPECT_TRUE(seen.end.is(Code::kEndOfData)) << status;
        EXPECT_TRUE(seen.body.empty());
    }
}

// A read goes on for as long as a byte comes within the timeout: what is asked for bounds it.
TEST_F(EspHttp, LittleIsAskedForAtOnce) {
    HttpAnswerOfModel answer;
    answer.body = pattern(10000);
    EXPECT_EQ(exchange(answer).body.size(), 10000U);
    EXPECT_LE(idf_model::http.largest_read, 512);
}

TEST_F(EspHttp, FailedHandshakesAreNamed) {
    EXPECT_EQ(refusal(0x2700, 0x01), Detail::kCertificateExpired);
    EXPECT_EQ(refusal(0x2700, 0x04), Detail::kCertificateHost);
    EXPECT_EQ(refusal(0x2700, 0x08), Detail::kCertificateIssuer);
    EXPECT_EQ(refusal(0x2700, 0x0200), Detail::kCertificateNotYetValid);
    // Since v5.5.2 the flags are lost.
    EXPECT_EQ(refusal(0x2700, 0), Detail::kCertificateRefused);
    EXPECT_EQ(refusal(0x7680, 0), Detail::kCertificateIssuer);
    for (const int network : {0x4C, 0x4E, 0x50, 0x7280}) {
        EXPECT_EQ(refusal(network, 0), Detail::kConnectionLost) << network;
    }
    EXPECT_EQ(refusal(0x7780, 0), Detail::kTlsHandshake);  // an alert of the server
    EXPECT_EQ(refusal(0, 0, 0x8001), Detail::kDnsFailed);
    EXPECT_EQ(refusal(0, 0, 0x8004), Detail::kConnectRefused);
    EXPECT_EQ(refusal(0, 0, 0x8006), Detail::kConnectRefused);
}

TEST_F(EspHttp, PinIsRefusedAndNotIgnored) {
    HttpHead head;
    HttpTls tls;
    tls.pinned_key_sha256 = "x";
    EXPECT_EQ(client.start({"https://server/", {}, tls}, head).detail(), Detail::kTlsHandshake);
}

}  // namespace
}  // namespace ota
