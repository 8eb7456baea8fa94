// Ranges, conditions and statuses.
#include "sources/https_source_bench.hpp"

namespace ota {
namespace {

using Bench = HttpsSourceBench;

// ---------------------------------------------------------------- ranges

TEST(HttpsSource, WholePackageAndItsDescription) {
    Bench bench;
    bench.client.notes = "Fixes the fan";
    EXPECT_TRUE(bench.fetch().is(Code::kEndOfData));
    EXPECT_TRUE(bench.got_file_from(0));
    const SourceInfo info = bench.info();
    EXPECT_EQ(info.size, 10000U);
    EXPECT_TRUE(info.validator.tag.view() == "\"v1\"");
    EXPECT_TRUE(info.notes.view() == "Fixes the fan");
    ASSERT_EQ(bench.client.requests.size(), 1U);
    const test::SeenRequest& request = bench.client.requests[0];
    EXPECT_TRUE(request.url == kUrl);
    EXPECT_TRUE(request.field("Range") == "bytes=0-");
    EXPECT_TRUE(request.field("Accept-Encoding") == "identity");
    EXPECT_TRUE(request.field("If-Range").empty());
    EXPECT_TRUE(request.field("Authorization").empty());
}

TEST(HttpsSource, CheckAsksForTheFirstBytesOnly) {
    Bench bench;
    EXPECT_TRUE(bench.fetch(0, 288).is(Code::kEndOfData));
    EXPECT_EQ(bench.got.size(), 288U);
    EXPECT_EQ(bench.client.body_bytes, 288U);
    EXPECT_EQ(bench.info().size, 10000U);
    EXPECT_TRUE(bench.client.requests[0].field("Range") == "bytes=0-287");
    // A server without ranges sends all; no more than the first bytes are taken.
    bench.client.has_ranges = false;
    bench.client.body_bytes = 0;
    EXPECT_TRUE(bench.fetch(0, 288).is(Code::kEndOfData));
    EXPECT_EQ(bench.got.size(), 288U);
    EXPECT_EQ(bench.client.body_bytes, 288U);
}

TEST(FieldCase, A02_every_request_size_gives_the_same_bytes) {
    for (const size_t chunk : {1U, 251U, 4095U, 4096U, 4097U}) {
        for (const size_t offset : {0U, 1U, 4095U, 4096U, 4097U, 9999U}) {
            Bench bench;
            bench.client.chunk = chunk;
            EXPECT_TRUE(bench.fetch(0, 288).is(Code::kEndOfData));  // a look at the head …
            EXPECT_TRUE(bench.fetch(offset, kToEnd, chunk).is(Code::kEndOfData));
            EXPECT_TRUE(bench.got_file_from(offset)) << chunk << " " << offset;
        }
    }
}

TEST(HttpsSource, ContinuesByRangeAndSaysWhatItContinues) {
    Bench bench;
    (void)bench.fetch(0, 288);
    EXPECT_TRUE(bench.fetch(4096).is(Code::kEndOfData));
    EXPECT_TRUE(bench.got_file_from(4096));
    EXPECT_TRUE(bench.client.requests[1].field("Range") == "bytes=4096-");
    EXPECT_TRUE(bench.client.requests[1].field("If-Range") == "\"v1\"");
    // A weak tag does not tell byte for byte the same.
    bench.client.tag = "W/\"v1\"";
    (void)bench.fetch(0, 288);
    (void)bench.fetch(4096);
    EXPECT_TRUE(bench.client.requests[3].field("If-Range").empty());
}

TEST(FieldCase, A16_server_without_ranges_or_behind_the_end) {
    Bench bench;
    bench.client.has_ranges = false;
    EXPECT_TRUE(bench.fetch(4096).is(Code::kEndOfData));
    EXPECT_TRUE(bench.got_file_from(4096));
    EXPECT_EQ(bench.client.body_bytes, 10000U);
    Bench behind;
    EXPECT_EQ(behind.fetch(10000).detail(), Detail::kFileChanged);  // 416
    Bench shrunk;
    shrunk.client.has_ranges = false;
    shrunk.client.file.resize(2000);
    EXPECT_EQ(shrunk.fetch(4096).detail(), Detail::kConnectionLost);
    EXPECT_TRUE(shrunk.got.empty());
}

TEST(HttpsSource, ChangedPackageHasAnotherIdentity) {
    Bench bench;
    (void)bench.fetch(0, 288);
    const Digest before = bench.info().identity;
    (void)bench.fetch(4096);
    EXPECT_TRUE(bench.info().identity == before);
    bench.client.tag = "\"v2\"";
    (void)bench.fetch(4096);  // If-Range: the whole new package comes
    EXPECT_FALSE(bench.info().identity == before);
    EXPECT_TRUE(bench.got_file_from(4096));
    // Without a tag: date and size.
    bench.client.tag.clear();
    (void)bench.fetch(0, 288);
    const Digest untagged = bench.info().identity;
    bench.client.modified = "Thu, 02 Jan 2025 00:00:00 GMT";
    (void)bench.fetch(0, 288);
    EXPECT_FALSE(bench.info().identity == untagged);
    // A signed URL is renewed; what it names is the same.
    bench.client.tag = "\"v2\"";
    const std::string renewed = std::string(kUrl) + "?signature=";
    (void)bench.fetch(0, 288, 1000, (renewed + "1").c_str());
    const Digest first = bench.info().identity;
    (void)bench.fetch(0, 288, 1000, (renewed + "2").c_str());
    EXPECT_TRUE(bench.info().identity == first);
}

TEST(HttpsSource, WrongRangesAreRefused) {
    const auto ranged = [](const char* range, size_t length) {
        HttpAnswer answer = http_answer(206, "Content-Range", range);
        answer.body.resize(length);
        return answer;
    };
    const std::pair<const char*, size_t> bad[] = {
        {"bytes 0-5903/10000", 5904},     // from the start
        {"bytes 4095-9999/10000", 5905},  // one byte early
        {"bytes 4096-9999/10000", 100},   // announces another length
        {"bytes 4096-9999/9999", 5904},   // ends behind its end
        {"bytes 9999-4096/10000", 5904},  // backwards
        {"bytes */10000", 0},             // none
        {"pages 4096-9999/10000", 5904},  // in other units
    };
    for (const auto& [range, length] : bad) {
        Bench bench;
        bench.client.script = {ranged(range, length)};
        const Status status = bench.fetch(4096);
        EXPECT_EQ(status.detail(), Detail::kContentRange) << range;
        EXPECT_TRUE(status.is(Code::kRefused));
        EXPECT_TRUE(bench.got.empty());
    }
    Bench none;
    none.client.script = {http_answer(206)};
    EXPECT_EQ(none.fetch(4096).detail(), Detail::kContentRange);
    Bench twice;
    twice.client.script = {ranged("bytes 4096-9999/10000", 5904)};
    twice.client.script[0].fields.emplace_back("Content-Range", "bytes 0-5903/10000");
    EXPECT_EQ(twice.fetch(4096).detail(), Detail::kContentRange);
    Bench longer;
    longer.client.script = {ranged("bytes 0-9999/10000", 10000)};
    EXPECT_EQ(longer.fetch(0, 288).detail(), Detail::kContentRange);
}

TEST(HttpsSource, ServerMaySendLessThanAskedFor) {
    Bench bench;
    HttpAnswer part = http_answer(206, "Content-Range", "bytes 0-99/10000");
    part.body.assign(bench.client.file.begin(), bench.client.file.begin() + 100);
    bench.client.script = {part};
    const Status status = bench.fetch();
    EXPECT_TRUE(status.is(Code::kUnavailable));  // the rest by another request
    EXPECT_EQ(bench.got.size(), 100U);
}

TEST(FieldCase, A04_length_that_nobody_announced) {
    Bench bench;
    bench.client.has_ranges = false;
    bench.client.announces_length = false;
    EXPECT_TRUE(bench.fetch().is(Code::kEndOfData));
    EXPECT_TRUE(bench.got_file_from(0));
    EXPECT_EQ(bench.info().size, 0U);
}

TEST(FieldCase, A08_end_of_stream_is_not_end_of_file) {
    for (const size_t at : {0U, 5000U, 9999U}) {
        for (const bool silent : {true, false}) {
            Bench bench;
            HttpAnswer answer = http_answer(200);
            answer.body = bench.client.file;
            answer.lost_after = at;
            answer.silent_end = silent;
            bench.client.script = {answer};
            const Status status = bench.fetch();
            EXPECT_TRUE(status.is(Code::kUnavailable)) << at;
            EXPECT_EQ(status.detail(), Detail::kConnectionLost);
            EXPECT_EQ(bench.got.size(), at);
        }
    }
}

TEST(FieldCase, A10_nothing_yet_is_not_the_end) {
    Bench bench;
    bench.client.idle_reads = 20;
    EXPECT_TRUE(bench.fetch().is(Code::kEndOfData));
    EXPECT_TRUE(bench.got_file_from(0));
}

TEST(HttpsSource, CompressedIsRefused) {
    Bench bench;
    HttpAnswer answer = http_answer(200, "Content-Encoding", "gzip");
    answer.body.resize(100);
    bench.client.script = {answer};
    EXPECT_EQ(bench.fetch().detail(), Detail::kContentEncoding);
    EXPECT_TRUE(bench.got.empty());
    bench.client.script = {http_answer(200, "Content-Encoding", "identity")};
    EXPECT_TRUE(bench.fetch().is(Code::kEndOfData));
}

// ---------------------------------------------------------------- conditional

TEST(FieldCase, A22_unchanged_is_no_fault) {
    Bench bench;
    (void)bench.fetch(0, 288);
    (void)bench.known.push_back(bench.info().validator);
    Validator other = bench.info().validator;
    other.tag.assign("\"v0\"");
    (void)bench.known.push_back(other);
    const Status status = bench.fetch(0, 288);
    EXPECT_TRUE(status.is(Code::kNoUpdate));
    EXPECT_EQ(status.detail(), Detail::kNotModified);
    EXPECT_TRUE(bench.client.requests[1].field("If-None-Match") == "\"v1\", \"v0\"");
    EXPECT_EQ(bench.client.body_bytes, 288U);  // of the first look
    // The tag belongs to its URL.
    EXPECT_TRUE(bench.fetch(0, 288, 1000, "https://update.example/other.bin").is(Code::kEndOfData));
    EXPECT_TRUE(bench.client.requests[2].field("If-None-Match").empty());
    // 304 that nobody asked for.
    bench.known.clear();
    bench.client.script = {http_answer(304)};
    EXPECT_TRUE(bench.fetch(0, 288).is(Code::kRefused));
}

// ---------------------------------------------------------------- status

TEST(HttpsSource, EveryStatusHasItsMeaning) {
    struct Case {
        uint16_t status;
        Code code;
        Detail detail;
    };
    const Case cases[] = {
        {204, Code::kRefused, Detail::kHttpStatus},
        {300, Code::kRefused, Detail::kHttpStatus},
        {400, Code::kRefused, Detail::kHttpStatus},
        {401, Code::kUnauthenticated, Detail::kHttpUnauthorized},
        {403, Code::kUnauthenticated, Detail::kHttpForbidden},
        {404, Code::kRefused, Detail::kHttpNotFound},
        {407, Code::kUnauthenticated, Detail::kHttpUnauthorized},
        {408, Code::kBusy, Detail::kServerBusy},
        {410, Code::kRefused, Detail::kHttpNotFound},
        {416, Code::kMalformed, Detail::kFileChanged},
        {418, Code::kRefused, Detail::kHttpStatus},
        {429, Code::kBusy, Detail::kServerBusy},
        {500, Code::kBusy, Detail::kServerBusy},
        {501, Code::kRefused, Detail::kHttpStatus},
        {502, Code::kBusy, Detail::kServerBusy},
        {503, Code::kBusy, Detail::kServerBusy},
        {504, Code::kBusy, Detail::kServerBusy},
        {599, Code::kRefused, Detail::kHttpStatus},
    };
    for (const Case& c : cases) {
        Bench bench;
        bench.client.script = {http_answer(c.status)};
        const Status status = bench.fetch();
        EXPECT_TRUE(status.is(c.code)) << c.status;
        EXPECT_EQ(status.detail(), c.detail) << c.status;
        EXPECT_EQ(bench.client.requests.size(), 1U);
    }
}

TEST(HttpsSource, RetryAfterIsPassedOn) {
    Bench bench;
    bench.client.script = {http_answer(503, "Retry-After", "17")};
    (void)bench.fetch();
    EXPECT_EQ(bench.source.retry_after(), 17000U);
    bench.client.script = {http_answer(429, "Retry-After", "999999999999")};
    (void)bench.fetch();
    EXPECT_EQ(bench.source.retry_after(), 86400000U);
    bench.client.script = {http_answer(503)};
    (void)bench.fetch();
    EXPECT_EQ(bench.source.retry_after(), 0U);
}

}  // namespace
}  // namespace ota
