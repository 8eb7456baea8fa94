// Signatures of AWS requests. AWS's whole suite and botocore judge them in tests/interop.
#include "wire/sigv4.hpp"

#include <string>

#include "support/test.hpp"

namespace ota {
namespace {

constexpr SigV4Key kKey{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
constexpr std::string_view kDate = "20150830T123600Z";

struct Text final : TextSink {
    void add(std::string_view piece) override { text += piece; }
    std::string text;
};

std::string canonical_of(const SigV4Request& request) {
    Text text;
    return write_canonical_request(request, text).ok() ? text.text : "refused";
}

std::string second_and_third_line(const SigV4Request& request) {
    const std::string text = canonical_of(request);
    const size_t first = text.find('\n') + 1;
    return text.substr(first, text.find('\n', text.find('\n', first) + 1) - first);
}

TEST(SigV4, AuthorizationOfAnEmptyRequest) {
    const std::array<SigV4Field, 2> fields = {SigV4Field{"Host", "example.amazonaws.com"},
                                              SigV4Field{"X-Amz-Date", kDate}};
    SigV4Text out;
    ASSERT_TRUE(sign_sigv4({.fields = fields}, {kDate, "us-east-1", "service"}, kKey, out).ok());
    EXPECT_EQ(out.view(),
              "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
              "SignedHeaders=host;x-amz-date, "
              "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

// The numbers were worked out by hand and confirmed by botocore 1.43.
TEST(SigV4, FieldCase_aws_6_14_a_session_token_is_signed) {
    const std::string body = R"({"logGroupName":"/bess/ota","logStreamName":"bess-0001",)"
                             R"("logEvents":[{"timestamp":1440938160000,"message":"ota start"}]})";
    const std::array<SigV4Field, 5> fields = {
        SigV4Field{"X-Amz-Target", "Logs_20140328.PutLogEvents"},
        SigV4Field{"Content-Type", "application/x-amz-json-1.1"},
        SigV4Field{"Host", "logs.eu-west-1.amazonaws.com"}, SigV4Field{"X-Amz-Date", kDate},
        SigV4Field{"X-Amz-Security-Token", "SESSIONTOKENEXAMPLE"}};
    SigV4Text out;
    const std::array<Bytes, 2> pieces = {as_bytes(body).first(20), as_bytes(body).subspan(20)};
    ASSERT_TRUE(
        sign_sigv4({"POST", "/", "", fields, pieces}, {kDate, "eu-west-1", "logs"}, kKey, out)
            .ok());
    EXPECT_TRUE(out.view().ends_with(
        "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, "
        "Signature=d34e927b5111990b6b1ae297087d532ca8de7f9b04c034047c957a993e88feaf"));
}

TEST(SigV4, PathsAndQueries) {
    EXPECT_EQ(second_and_third_line({.path = ""}), "/\n");
    EXPECT_EQ(second_and_third_line({.path = "/a/b/../../..//./c/"}), "/c/\n");
    EXPECT_EQ(second_and_third_line({.path = "/a/.."}), "/\n");
    EXPECT_EQ(second_and_third_line({.path = "/a/b/.."}), "/a/\n");
    EXPECT_EQ(second_and_third_line({.path = "/a%20b"}), "/a%2520b\n");
    EXPECT_EQ(second_and_third_line({.query = "b=2&a=+&a&%E1=x&b=1"}), "/\n%E1=x&a=&a=%2B&b=1&b=2");
}

TEST(SigV4, WhatIsTooMuchIsRefused) {
    std::array<SigV4Field, kMaxSigV4Fields + 1> fields;
    for (SigV4Field& field : fields) field = {"a", "b"};
    EXPECT_EQ(canonical_of({.fields = fields}), "refused");
    std::string query;
    std::string path;
    for (size_t i = 0; i <= kMaxSigV4Parameters; ++i) query += "a=b&";
    for (size_t i = 0; i <= kMaxSigV4Segments; ++i) path += "/a";
    EXPECT_EQ(canonical_of({.query = query}), "refused");
    EXPECT_EQ(canonical_of({.path = path}), "refused");
    const std::string secret(kMaxSigV4Secret + 1, 's');
    const SigV4Scope scope{kDate, "r", "s"};
    SigV4Text out;
    EXPECT_TRUE(sign_sigv4({}, scope, {"id", secret}, out).is(Code::kNoSpace));
    EXPECT_TRUE(sign_sigv4({}, scope, {secret + secret + secret + secret + secret, "s"}, out)
                    .is(Code::kNoSpace));
}

// Worked out with Python's hmac: a key of more than 64 bytes counts as its digest (RFC 2104).
TEST(SigV4, ALongSecret) {
    const std::string secret(100, 'k');
    SigV4Text out;
    const std::array<SigV4Field, 1> fields = {SigV4Field{"host", "h"}};
    ASSERT_TRUE(sign_sigv4({.fields = fields}, {kDate, "r", "s"}, {"id", secret}, out).ok());
    EXPECT_TRUE(out.view().ends_with(
        "Signature=76dc684fb249f98b933b04a83514ea49d1b873415c211c9fa4eebc408ba1525e"));
}

}  // namespace
}  // namespace ota
