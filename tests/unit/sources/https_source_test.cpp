#include "sources/https/https_source.hpp"

#include "linux/clock_virtual.hpp"
#include "support/fake_http.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

using test::Buffer;
using test::http_answer;
using test::HttpAnswer;

constexpr const char* kUrl = "https://update.example/bess/latest.bin";

struct Bench {
    explicit Bench(const HttpsSource::Config& config = {}) : source(client, clock, floor, config) {
        client.file.resize(10000);
        for (size_t i = 0; i < client.file.size(); ++i) {
            client.file[i] = static_cast<uint8_t>(i * 7 + i / 251);
        }
    }

    // Everything from offset on, or the failure in `end`; what came before it stays in `got`.
    Status fetch(uint64_t offset = 0, uint64_t length = kToEnd, size_t chunk = 1000,
                 const char* url = kUrl) {
        got.clear();
        const Status started = source.start({{url}, offset, length, {known.begin(), known.size()}});
        if (!started.ok()) return started;
        Buffer buffer(chunk);
        for (int i = 0; i < 100000; ++i) {
            const Result<size_t> n = source.read(buffer);
            if (n.ok()) {
                got.insert(got.end(), buffer.begin(), buffer.begin() + static_cast<long>(*n));
            } else if (!n.status().is(Code::kTryAgain)) {
                return n.status();
            }
        }
        return {Code::kInternal, Origin::kNone};
    }
    bool got_file_from(size_t offset) const {
        return got == Buffer(client.file.begin() + static_cast<long>(offset), client.file.end());
    }
    SourceInfo info() {
        SourceInfo out;
        (void)source.info(out);
        return out;
    }

    VirtualClock clock;
    TimeFloor floor;
    test::FakeHttpClient client;
    HttpsSource source;
    FixedVector<Validator, 2> known;
    Buffer got;
};

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

// ---------------------------------------------------------------- redirects

TEST(FieldCase, A14_three_hops_to_a_signed_url) {
    Bench bench;
    std::string signed_url = "https://bucket.example/bess%2Flatest.bin?X-Amz-Signature=";
    while (signed_url.size() < 2000) signed_url += "%2F%3D+&=";
    bench.client.script = {http_answer(301, "Location", "https://b.example/x"),
                           http_answer(302, "Location", "/y"),
                           http_answer(307, "Location", signed_url)};
    EXPECT_TRUE(bench.fetch(4096).is(Code::kEndOfData));
    EXPECT_TRUE(bench.got_file_from(4096));
    ASSERT_EQ(bench.client.requests.size(), 4U);
    EXPECT_TRUE(bench.client.requests[2].url == "https://b.example/y");
    EXPECT_TRUE(bench.client.requests[3].url == signed_url);
    EXPECT_TRUE(bench.client.requests[3].field("Range") == "bytes=4096-");
}

TEST(FieldCase, A14_redirect_loop_ends_at_ten) {
    Bench bench;
    bench.client.script.assign(30, http_answer(302, "Location", "/again"));
    const Status status = bench.fetch();
    EXPECT_EQ(status.detail(), Detail::kRedirectLimit);
    EXPECT_TRUE(status.is(Code::kRefused));
    EXPECT_EQ(bench.client.requests.size(), 11U);  // the first one and ten redirects
    // Ten are followed.
    Bench ten;
    ten.client.script.assign(10, http_answer(308, "Location", "next"));
    EXPECT_TRUE(ten.fetch().is(Code::kEndOfData));
}

TEST(HttpsSource, NeverAwayFromHttpsNorIntoTheVoid) {
    const std::pair<const char*, Detail> cases[] = {
        {"http://update.example/latest.bin", Detail::kRedirectInsecure},
        {"HTTP://update.example/latest.bin", Detail::kRedirectInsecure},
        {"ftp://update.example/latest.bin", Detail::kRedirectMalformed},
        {"file:///etc/passwd", Detail::kRedirectMalformed},
        {"https://", Detail::kRedirectMalformed},
        {"https://host:99999999/", Detail::kRedirectMalformed},
        {"", Detail::kRedirectMalformed},
    };
    for (const auto& [location, detail] : cases) {
        Bench bench;
        bench.client.script = {http_answer(302, "Location", location)};
        EXPECT_EQ(bench.fetch().detail(), detail) << location;
        EXPECT_EQ(bench.client.requests.size(), 1U);
    }
}

HttpsSource::Config secret_config(std::array<HttpField, 1>& fields) {
    fields[0] = {"X-Api-Key", "", "s3cret"};
    HttpsSource::Config config;
    config.credentials.bearer_token = "t0ken";
    config.credentials.custom_fields = fields;
    config.tls.client_cert_pem = config.tls.client_key_pem = "pem";
    config.tls.pinned_key_sha256 = "pin";
    config.tls.ca_pem = "ca";
    return config;
}

TEST(FieldCase, A13_credentials_stay_with_their_origin) {
    std::array<HttpField, 1> fields;
    Bench bench(secret_config(fields));
    bench.client.script = {http_answer(307, "Location", "/moved.bin"),
                           http_answer(307, "Location", "https://cdn.example/x"),
                           http_answer(307, "Location", "https://update.example:444/x"),
                           http_answer(307, "Location", kUrl)};
    EXPECT_TRUE(bench.fetch().is(Code::kEndOfData));
    ASSERT_EQ(bench.client.requests.size(), 5U);
    const bool own[] = {true, true, false, false, true};
    for (size_t i = 0; i < 5; ++i) {
        const test::SeenRequest& request = bench.client.requests[i];
        EXPECT_EQ(request.field("Authorization") == "Bearer t0ken", own[i]) << i;
        EXPECT_EQ(request.field("X-Api-Key") == "s3cret", own[i]) << i;
        EXPECT_EQ(request.field("Authorization").empty(), !own[i]) << i;
        EXPECT_EQ(request.field("X-Api-Key").empty(), !own[i]) << i;
        EXPECT_EQ(request.client_certificate, own[i]) << i;
        EXPECT_EQ(request.pinned, own[i]) << i;
    }
}

// ---------------------------------------------------------------- credentials

TEST(FieldCase, A11_basic_credentials_in_every_form) {
    HttpsSource::Config config;
    config.credentials.user = "bess_device";
    config.credentials.password = "pa:ss@w%rd\xc3\xa4";
    Bench configured(config);
    (void)configured.fetch();
    // base64 of bess_device:pa:ss@w%rdä, by coreutils.
    const std::string expected = "Basic YmVzc19kZXZpY2U6cGE6c3NAdyVyZMOk";
    EXPECT_TRUE(configured.client.requests[0].field("Authorization") == expected);

    Bench in_url;
    (void)in_url.fetch(0, kToEnd, 1000,
                       "https://bess_device:pa%3Ass%40w%25rd%C3%A4@update.example/latest.bin");
    ASSERT_EQ(in_url.client.requests.size(), 1U);
    EXPECT_TRUE(in_url.client.requests[0].field("Authorization") == expected);
    EXPECT_TRUE(in_url.client.requests[0].url == "https://update.example/latest.bin");

    Bench refused(config);
    refused.client.script = {http_answer(401, "WWW-Authenticate", "Basic realm=\"x\"")};
    EXPECT_TRUE(refused.fetch().is(Code::kUnauthenticated));
    EXPECT_EQ(refused.client.requests.size(), 1U);  // no lock-out storm
}

TEST(HttpsSource, MalformedUrlIsRefusedBeforeAnyRequest) {
    for (const char* url : {"http://update.example/x", "nonsense", "https://",
                            "https://a%zz@update.example/x", "https://u:%4@update.example/x"}) {
        Bench bench;
        EXPECT_EQ(bench.fetch(0, kToEnd, 1000, url).detail(), Detail::kUriMalformed) << url;
        EXPECT_TRUE(bench.client.requests.empty());
    }
}

// ---------------------------------------------------------------- clock, budget

TEST(HttpsSource, UnsetClockIsNamed) {
    constexpr UnixTime kNow = kFirstBuild + 100000000;
    for (const Detail detail : {Detail::kCertificateNotYetValid, Detail::kCertificateExpired}) {
        const Status dates{Code::kUntrusted, Origin::kSource, detail};
        Bench bench;
        HttpAnswer answer;
        answer.failure = dates;
        bench.client.script = {answer, answer};
        bench.clock.set_wall(5);  // 1970
        const Status unset = bench.fetch();
        EXPECT_EQ(unset.detail(), Detail::kClockNotSet);
        EXPECT_TRUE(unset.is(Code::kUnavailable));  // the time may be set any moment
        bench.clock.set_wall(kNow);
        EXPECT_TRUE(bench.fetch() == dates);
    }
}

TEST(HttpsSource, CertificatesAreJudgedByASetClockOrTheFloor) {
    constexpr UnixTime kNow = kFirstBuild + 100000000;
    Bench bench;
    const auto judged_at = [&](UnixTime wall) {
        bench.clock.set_wall(wall);
        (void)bench.fetch(0, 288);
        return bench.client.requests.back().judged_at;
    };
    EXPECT_EQ(judged_at(5), kFirstBuild);
    EXPECT_EQ(bench.info().proven_time, 0);  // only a set clock's time is proven by a certificate
    EXPECT_EQ(judged_at(kNow), kNow);
    EXPECT_EQ(bench.info().proven_time, kNow);
    bench.floor.proven = kNow;
    EXPECT_EQ(judged_at(5), kNow);
    // A clock that was once far ahead does not make every certificate look expired for good.
    bench.floor.proven = kNow * 2;
    EXPECT_EQ(judged_at(kNow + 1), kNow + 1);
    bench.floor.built = kNow;
    EXPECT_EQ(judged_at(kNow - 1), kNow * 2);
}

TEST(HttpsSource, DailyLimit) {
    HttpsSource::Config config;
    config.max_bytes_per_day = 6000;
    Bench bench(config);
    const Status status = bench.fetch();
    EXPECT_EQ(status.detail(), Detail::kDailyLimit);
    EXPECT_TRUE(status.is(Code::kUnavailable));
    EXPECT_EQ(bench.client.body_bytes, 6000U);
    EXPECT_EQ(bench.got.size(), 6000U);
    EXPECT_EQ(bench.source.retry_after(), 86400000U);
    bench.clock.advance(3600000);
    EXPECT_EQ(bench.fetch(6000).detail(), Detail::kDailyLimit);
    EXPECT_EQ(bench.client.requests.size(), 1U);  // not even asked
    EXPECT_EQ(bench.source.retry_after(), 82800000U);
    bench.clock.advance(82800000);
    EXPECT_TRUE(bench.fetch(6000).is(Code::kEndOfData));
    EXPECT_TRUE(bench.got_file_from(6000));
}

}  // namespace
}  // namespace ota
