// What every HttpClient has to do.
#pragma once

#include <unistd.h>

#include <ctime>

#include "ports/http_client.hpp"
#include "support/fake_http.hpp"
#include "support/test.hpp"
#include "wire/http_head.hpp"

namespace ota::contract {

using test::Buffer;
using test::HttpAnswer;

inline Buffer pattern(size_t size) {
    Buffer out(size);
    for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(i * 13 + i / 256);
    return out;
}

// One request from start to its outcome.
struct Exchange {
    HttpHead head;
    Buffer body;
    Status end;

    void run(HttpClient& client, const char* url, const HttpTls& tls, size_t chunk = 1000,
             std::span<const HttpField> fields = {}, std::span<const Bytes> sent = {}) {
        body.clear();
        head = HttpHead();
        end = client.start({url, fields, tls, false, sent}, head);
        const time_t deadline = time(nullptr) + 20;
        while (end.ok() || end.is(Code::kTryAgain)) {
            ASSERT_LT(time(nullptr), deadline);
            end = client.await_head();
            if (end.ok()) break;
            if (end.is(Code::kTryAgain)) usleep(500);
        }
        Buffer buffer(chunk);
        while (end.ok()) {
            ASSERT_LT(time(nullptr), deadline);
            const Result<size_t> n = client.read(buffer);
            end = n.status();
            if (!n.ok()) break;
            body.insert(body.end(), buffer.begin(), buffer.begin() + static_cast<long>(*n));
            if (*n == 0) usleep(500);
        }
    }
};

// Lets the other side answer the next request.
class AnswerQueue {
  public:
    virtual void push(const HttpAnswer& answer) = 0;
    // The body of the request that came last; empty: it was none with a body.
    virtual std::string seen_body() = 0;

  protected:
    ~AnswerQueue() = default;
};

inline void check_http_client(HttpClient& client, AnswerQueue& server, const char* url,
                              const HttpTls& tls) {
    Exchange exchange;
    HttpAnswer whole = test::http_answer(206, "Content-Range", "bytes 5-70004/80000");
    whole.fields.emplace_back("ETag", "\"x\"");
    whole.body = pattern(70000);
    for (const size_t chunk : {1000U, 1U << 17}) {
        server.push(whole);
        exchange.run(client, url, tls, chunk);
        EXPECT_TRUE(exchange.end.is(Code::kEndOfData));
        EXPECT_TRUE(exchange.body == whole.body);
        EXPECT_EQ(exchange.head.status(), 206);
        EXPECT_EQ(exchange.head.content_length(), 70000U);
        EXPECT_EQ(exchange.head.entity_tag(), "\"x\"");
        ASSERT_TRUE(exchange.head.content_range().has_value());
        EXPECT_EQ(exchange.head.content_range()->first, 5U);
    }
    // No body.
    server.push(test::http_answer(304));
    exchange.run(client, url, tls);
    EXPECT_EQ(exchange.head.status(), 304);
    EXPECT_TRUE(exchange.end.is(Code::kEndOfData));
    EXPECT_TRUE(exchange.head.entity_tag().empty());  // nothing of the answer before
    // With a body, in pieces.
    const Buffer much = pattern(50000);
    const std::array<Bytes, 3> pieces = {as_bytes("{\"a\":"), Bytes(much), as_bytes("}")};
    const std::string whole_body = "{\"a\":" + std::string(much.begin(), much.end()) + "}";
    for (int i = 0; i < 2; ++i) {
        server.push(whole);
        exchange.run(client, url, tls, 1000, {}, pieces);
        EXPECT_TRUE(exchange.end.is(Code::kEndOfData));
        EXPECT_TRUE(exchange.body == whole.body);
        EXPECT_TRUE(server.seen_body() == whole_body);
    }
    server.push(whole);
    exchange.run(client, url, tls);
    EXPECT_EQ(server.seen_body(), "");
    // Broken in the body: what came is delivered, then the failure.
    HttpAnswer broken = whole;
    broken.lost_after = 30000;
    server.push(broken);
    exchange.run(client, url, tls);
    EXPECT_TRUE(exchange.end.is(Code::kUnavailable));
    EXPECT_EQ(exchange.end.detail(), Detail::kConnectionLost);
    EXPECT_EQ(exchange.body.size(), 30000U);
    // Left in the middle, and asked again.
    server.push(whole);
    HttpHead head;
    ASSERT_TRUE(client.start({url, {}, tls}, head).ok());
    while (client.await_head().is(Code::kTryAgain)) usleep(500);
    client.close();
    client.close();
    server.push(whole);
    exchange.run(client, url, tls);
    EXPECT_TRUE(exchange.body == whole.body);
    // Started anew without a close.
    server.push(whole);
    ASSERT_TRUE(client.start({url, {}, tls}, head).ok());
    while (client.await_head().is(Code::kTryAgain)) usleep(500);
    server.push(whole);
    exchange.run(client, url, tls);
    EXPECT_TRUE(exchange.body == whole.body);
}

}  // namespace ota::contract
