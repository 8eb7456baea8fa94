// CurlHttpClient against a real TLS server, and the contract that it shares with the fake.
#include "linux/http_curl.hpp"

#include <dirent.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include "contracts/http_client.hpp"
#include "linux/clock_real.hpp"
#include "support/fake_http.hpp"
#include "support/tls_server.hpp"
#include "wire/http_head.hpp"

namespace ota {
namespace {

using contract::AnswerQueue;
using contract::Exchange;
using contract::pattern;
using test::Buffer;
using test::HttpAnswer;
using test::TlsServer;

// ---------------------------------------------------------------- contract

class FakeQueue final : public AnswerQueue {
  public:
    explicit FakeQueue(test::FakeHttpClient& client) : client_(client) {}
    void push(const HttpAnswer& answer) override { client_.script.push_back(answer); }
    std::string seen_body() override { return client_.requests.back().body; }

  private:
    test::FakeHttpClient& client_;
};

class TlsQueue final : public AnswerQueue {
  public:
    explicit TlsQueue(TlsServer& server) : server_(server) {}
    void push(const HttpAnswer& answer) override {
        std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " Reason\r\n";
        for (const auto& [name, value] : answer.fields) text += name + ": " + value + "\r\n";
        text += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n";
        const size_t n = answer.lost_after.value_or(answer.body.size());
        text.append(answer.body.begin(), answer.body.begin() + static_cast<long>(n));
        server_.answer({text, SIZE_MAX, n != answer.body.size()});
    }
    std::string seen_body() override {
        const std::string last = server_.requests().back();
        EXPECT_EQ(last.starts_with("POST "), last.find("Content-Length") != std::string::npos);
        return last.substr(last.find("\r\n\r\n") + 4);
    }

  private:
    TlsServer& server_;
};

TEST(HttpClientContract, Fake) {
    test::FakeHttpClient client;
    FakeQueue queue(client);
    contract::check_http_client(client, queue, "https://fake/", {});
}

TEST(HttpClientContract, Curl) {
    CurlHttpClient client;
    TlsServer server;
    TlsQueue queue(server);
    HttpTls tls;
    tls.judged_at = time(nullptr);
    tls.ca_pem = server.certificate().c_str();
    contract::check_http_client(client, queue, server.url().c_str(), tls);
}

// ---------------------------------------------------------------- real bytes

class HttpCurl : public testing::Test {
  protected:
    HttpCurl() {
        tls_.ca_pem = server_.certificate().c_str();
        tls_.judged_at = time(nullptr);
    }
    void exchange(const std::string& answer, size_t piece = SIZE_MAX, bool close = false) {
        server_.answer({answer, piece, close});
        exchange_.run(client_, server_.url().c_str(), tls_);
    }
    Detail fault_at(const char* url, const HttpTls& tls) {
        exchange_.run(client_, url, tls);
        return exchange_.end.detail();
    }
    static std::string text(const Buffer& bytes) { return {bytes.begin(), bytes.end()}; }

    TlsServer server_;
    CurlHttpClient client_;
    HttpTls tls_;
    Exchange exchange_;
};

TEST_F(HttpCurl, A04_chunked_with_extensions_and_trailers) {
    const Buffer body = pattern(70000 + 4096 + 1);
    const std::string bytes = text(body);
    const std::string answer =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: \"a\"\r\n\r\n"
        "1;name=value\r\n" +
        bytes.substr(0, 1) +
        "\r\n"
        "1000 ; other=\"quoted\"\r\n" +
        bytes.substr(1, 4096) +
        "\r\n"
        "11170\r\n" +
        bytes.substr(4097) +
        "\r\n"
        "0\r\nETag: \"trailer\"\r\nContent-Length: 3\r\n\r\n";
    for (const size_t piece : {SIZE_MAX, size_t{977}}) {
        exchange(answer, piece);
        EXPECT_TRUE(exchange_.end.is(Code::kEndOfData));
        EXPECT_TRUE(exchange_.body == body);
        EXPECT_EQ(exchange_.head.content_length(), kUnknownLength);
        EXPECT_EQ(exchange_.head.entity_tag(), "\"a\"");  // a trailer changes nothing
    }
    // Cut before its last chunk: not the end.
    exchange(answer.substr(0, answer.size() - 60), SIZE_MAX, true);
    EXPECT_EQ(exchange_.end.detail(), Detail::kConnectionLost);
}

TEST_F(HttpCurl, A06_body_that_ends_with_the_connection) {
    exchange("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc", SIZE_MAX, true);
    EXPECT_TRUE(exchange_.end.is(Code::kEndOfData));
    EXPECT_EQ(exchange_.body.size(), 3U);
    exchange("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    EXPECT_TRUE(exchange_.end.is(Code::kEndOfData));
}

TEST_F(HttpCurl, A21_head_in_single_bytes_and_large) {
    std::string answer = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 100; ++i)
        answer += "X-Fill-" + std::to_string(i) + ": " + std::string(80, 'x') + "\r\n";
    answer += "ETag: \"late\"\r\nContent-Length: 5000\r\n\r\n" + text(pattern(5000));
    for (const size_t piece : {size_t{1}, size_t{7}, SIZE_MAX}) {
        exchange(answer, piece);
        EXPECT_TRUE(exchange_.body == pattern(5000)) << piece;
        EXPECT_EQ(exchange_.head.entity_tag(), "\"late\"");
    }
}

TEST_F(HttpCurl, InterimAnswersAreNotTheAnswer) {
    exchange(
        "HTTP/1.1 103 Early Hints\r\nETag: \"early\"\r\n\r\n"
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_EQ(exchange_.head.status(), 200);
    EXPECT_TRUE(exchange_.head.entity_tag().empty());
    EXPECT_EQ(exchange_.body.size(), 2U);
}

TEST_F(HttpCurl, RequestIsWhatWasAskedFor) {
    const HttpField fields[] = {{"Range", "", "bytes=5-9"}, {"Authorization", "Bearer ", "t0ken"}};
    server_.answer({"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", SIZE_MAX, false});
    const std::string url = server_.url() + "/../a%2Fb//c?x=%3D+&y";
    exchange_.run(client_, url.c_str(), tls_, 1000, fields);
    const std::string request = server_.requests()[0];
    EXPECT_TRUE(request.starts_with("GET /bess.bin/../a%2Fb//c?x=%3D+&y HTTP/1.1\r\n")) << request;
    EXPECT_NE(request.find("\r\nRange: bytes=5-9\r\n"), std::string::npos);
    EXPECT_NE(request.find("\r\nAuthorization: Bearer t0ken\r\n"), std::string::npos);
    EXPECT_EQ(request.find("Accept-Encoding: gzip"), std::string::npos);
}

TEST_F(HttpCurl, ConnectionStaysAfterAWholeBody) {
    for (int i = 0; i < 3; ++i) {
        exchange("HTTP/1.1 206 Partial\r\nContent-Length: 288\r\n\r\n" + text(pattern(288)));
    }
    EXPECT_EQ(server_.connections(), 1);
    // Even when the reader stops at the last byte and does not see the end.
    server_.answer({"HTTP/1.1 206 Partial\r\nContent-Length: 288\r\n\r\n" + text(pattern(288)),
                    SIZE_MAX, false});
    HttpHead head;
    ASSERT_TRUE(client_.start({server_.url().c_str(), {}, tls_}, head).ok());
    Buffer buffer(288);
    size_t got = 0;
    while (client_.await_head().is(Code::kTryAgain)) usleep(500);
    while (got < 288) {
        const Result<size_t> n = client_.read(MutableBytes(buffer).subspan(got));
        ASSERT_TRUE(n.ok());
        got += *n;
    }
    client_.close();
    exchange("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    EXPECT_EQ(server_.connections(), 1);
}

TEST_F(HttpCurl, OnlyANewSessionProvesTheTime) {
    const std::string once = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
    exchange(once);
    EXPECT_EQ(client_.proven_at(), tls_.judged_at);
    exchange(once);  // the same connection
    EXPECT_EQ(client_.proven_at(), 0);
    exchange(once, SIZE_MAX, true);
    exchange(once);  // another one, its TLS session resumed
    EXPECT_EQ(server_.connections(), 2);
    EXPECT_EQ(client_.proven_at(), 0);
}

TEST_F(HttpCurl, NotHttpIsSaid) {
    exchange("SSH-2.0-OpenSSH_9.2\r\n", SIZE_MAX, true);
    EXPECT_EQ(exchange_.end.detail(), Detail::kHttpProtocol);
    EXPECT_TRUE(exchange_.body.empty());
}

// espressif/arduino-esp32#5780: expired, and taken all the same.
TEST_F(HttpCurl, I02_each_wrong_certificate_is_refused_with_a_detail_of_its_own) {
    TlsServer other;
    HttpTls wrong = tls_;
    wrong.ca_pem = other.certificate().c_str();
    EXPECT_EQ(fault_at(server_.url().c_str(), wrong), Detail::kCertificateIssuer);
    const std::string by_name =
        "https://localhost" + server_.url().substr(strlen("https://127.0.0.1"));
    EXPECT_EQ(fault_at(by_name.c_str(), tls_), Detail::kCertificateHost);
    HttpTls pinned = tls_;
    pinned.pinned_key_sha256 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    EXPECT_EQ(fault_at(server_.url().c_str(), pinned), Detail::kPinMismatch);
    HttpTls late = tls_;
    late.judged_at = 4000000000;
    EXPECT_EQ(fault_at(server_.url().c_str(), late), Detail::kCertificateExpired);
}

TEST_F(HttpCurl, FaultsOnTheWayHaveTheirNames) {
    EXPECT_EQ(fault_at("https://127.0.0.1:1/", tls_), Detail::kConnectRefused);
    EXPECT_EQ(fault_at("https://nothing.invalid/", tls_), Detail::kDnsFailed);
    EXPECT_EQ(fault_at("https://127.0.0.1:99999/", tls_), Detail::kUriMalformed);
    HttpTls system;
    system.judged_at = tls_.judged_at;
    // The store of the system does not know this certificate.
    EXPECT_EQ(fault_at(server_.url().c_str(), system), Detail::kCertificateIssuer);
    // And afterwards everything works.
    exchange("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    EXPECT_TRUE(exchange_.end.is(Code::kEndOfData));
}

TEST_F(HttpCurl, CertificatesAreJudgedAtTheGivenTime) {
    HttpTls early = tls_;
    early.judged_at = 5;
    EXPECT_EQ(fault_at(server_.url().c_str(), early), Detail::kCertificateNotYetValid);
    exchange("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    EXPECT_TRUE(exchange_.end.is(Code::kEndOfData));
}

size_t open_files() {
    size_t count = 0;
    DIR* folder = opendir("/proc/self/fd");
    while (readdir(folder) != nullptr) ++count;
    (void)closedir(folder);
    return count;
}

TEST_F(HttpCurl, HandlesAndMemoryStayConstantOver1000Cycles) {
    const auto cycle = [&](int i) {
        HttpHead head;
        if (i % 10 == 0) {
            exchange("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", SIZE_MAX, i % 20 == 0);
            return;
        }
        // Nobody listens; left in mid-handshake; closed before it began.
        const std::string url = i % 3 == 0 ? server_.url() : "https://127.0.0.1:1/";
        (void)client_.start({url.c_str(), {}, tls_}, head);
        for (int polls = i % 4; polls > 0; --polls) (void)client_.await_head();
        client_.close();
    };
    // The caches of libcurl and OpenSSL, and the server's list of requests, take a while to fill.
    for (int i = 0; i < 4000; ++i) cycle(i);
    const size_t files = open_files();
    const size_t memory = mallinfo2().uordblks;
    for (int i = 0; i < 1000; ++i) cycle(i);
    EXPECT_LE(open_files(), files + 4);  // a connection or two that the server has not closed yet
    // The server's list of requests grows still, by some 100 bytes each; a connection that leaked
    // would cost several KiB a cycle.
    EXPECT_LE(mallinfo2().uordblks, memory + 300000);
}

TEST(HttpCurlAbort, LeavingTakesNoTimeWhateverTheServerDoes) {
    RealClock clock;
    TlsServer server;  // answers nothing: no script
    HttpTls tls;
    tls.ca_pem = server.certificate().c_str();
    for (const std::string& url : {server.url(), std::string("https://192.0.2.1/"),
                                   std::string("https://nothing.invalid/")}) {
        const Millis begin = clock.now();
        {
            CurlHttpClient client;
            HttpHead head;
            ASSERT_TRUE(client.start({url.c_str(), {}, tls}, head).ok());
            for (int i = 0; i < 5; ++i) {
                (void)client.await_head();
                usleep(1000);
            }
            client.close();
        }
        EXPECT_LT(clock.now() - begin, 1000U) << url;
    }
}

}  // namespace
}  // namespace ota
