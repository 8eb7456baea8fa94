// Redirects, credentials, the clock and the daily limit.
#include "sources/https_source_bench.hpp"

namespace ota {
namespace {

using Bench = HttpsSourceBench;

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

// Where a manifest sends the device, nothing of the configuration goes along, unless it is home.
TEST(HttpsSource, UrlOfAPackageGetsCredentialsAtHomeAlone) {
    const std::pair<const char*, bool> cases[] = {{"https://update.example/other.bin", true},
                                                  {"https://update.example:444/other.bin", false},
                                                  {"https://update.example.evil.test/x", false},
                                                  {"https://cdn.example/x", false}};
    for (const auto& [url, at_home] : cases) {
        for (const bool asked_before : {false, true}) {
            std::array<HttpField, 1> fields;
            HttpsSource::Config config = secret_config(fields);
            config.home = kUrl;
            Bench bench(config);
            if (asked_before) (void)bench.fetch();
            bench.foreign = true;
            EXPECT_TRUE(bench.fetch(0, kToEnd, 1000, url).is(Code::kEndOfData));
            const test::SeenRequest& request = bench.client.requests.back();
            EXPECT_EQ(request.field("Authorization") == "Bearer t0ken", at_home) << url;
            EXPECT_EQ(request.field("X-Api-Key") == "s3cret", at_home) << url;
            EXPECT_EQ(request.client_certificate, at_home) << url;
            EXPECT_EQ(request.pinned, at_home) << url;
        }
    }
    HttpsSource::Config config;
    config.home = "https://user:pass@update.example/latest.bin";
    Bench in_url(config);
    in_url.foreign = true;
    (void)in_url.fetch(0, kToEnd, 1000, "https://update.example/other.bin");
    EXPECT_TRUE(in_url.client.requests.back().field("Authorization") == "Basic dXNlcjpwYXNz");
    EXPECT_EQ(in_url.fetch(0, kToEnd, 1000, "https://a:b@update.example/x").detail(),
              Detail::kUriMalformed);
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
