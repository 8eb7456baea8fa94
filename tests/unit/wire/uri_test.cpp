#include "wire/uri.hpp"

#include <string>

#include "support/test.hpp"

namespace ota {
namespace {

std::string resolved(const char* base, const std::string& reference) {
    UriText uri{base};
    return resolve_reference(uri, reference) ? std::string(uri.view()) : "refused";
}

TEST(Uri, PartsAreViewsIntoTheText) {
    UriParts parts;
    ASSERT_TRUE(parse_uri("https://user:pa%3Ass@Host.example:8443/a/b.bin?x=1&y=2#part", parts));
    EXPECT_TRUE(parts.is_https());
    EXPECT_TRUE(parts.user_info == "user:pa%3Ass");
    EXPECT_TRUE(parts.host == "Host.example");
    EXPECT_TRUE(parts.port == "8443");
    EXPECT_TRUE(parts.path == "/a/b.bin");
    EXPECT_TRUE(parts.query == "?x=1&y=2");
    ASSERT_TRUE(parse_uri("HTTPS://[2001:db8::1]:444?q", parts));
    EXPECT_TRUE(parts.host == "[2001:db8::1]");
    EXPECT_TRUE(parts.port == "444");
    EXPECT_TRUE(parts.path.empty());
    EXPECT_TRUE(parts.query == "?q");
    EXPECT_TRUE(parts.is_https());
    ASSERT_TRUE(parse_uri("http://h", parts));
    EXPECT_FALSE(parts.is_https());
}

TEST(Uri, MalformedIsRefused) {
    UriParts parts;
    for (const char* bad : {"", "/path", "ftp://host/", "https:/host", "https:///path", "https://",
                            "https://host:port/", "https://host:123456/", "https://ho st/",
                            "https://host/a\nb", "https://host/\x7f", "https://host/\xc3\xa4"}) {
        EXPECT_FALSE(parse_uri(bad, parts)) << bad;
    }
}

TEST(Uri, OriginIsSchemeHostAndPort) {
    const auto same = [](const char* a, const char* b) {
        UriParts x;
        UriParts y;
        return parse_uri(a, x) && parse_uri(b, y) && same_origin(x, y);
    };
    EXPECT_TRUE(same("https://host/a", "HTTPS://HOST:443/b?c"));
    EXPECT_FALSE(same("https://host/", "http://host/"));
    EXPECT_FALSE(same("https://host/", "https://host:444/"));
    EXPECT_FALSE(same("https://host/", "https://host.example/"));
    EXPECT_FALSE(same("https://host/", "https://other@host2/"));
    EXPECT_TRUE(same("https://host/", "https://user@host/"));
}

// RFC 3986 5.4 with its base; dot segments above the root are dropped (5.4.2).
TEST(FieldCase, A15_relative_location) {
    const char* base = "https://a/b/c/d;p?q";
    const std::pair<const char*, const char*> cases[] = {
        {"g", "https://a/b/c/g"},
        {"./g", "https://a/b/c/g"},
        {"g/", "https://a/b/c/g/"},
        {"/g", "https://a/g"},
        {"//g", "https://g/"},
        {"?y", "https://a/b/c/d;p?y"},
        {"g?y", "https://a/b/c/g?y"},
        {"#s", "https://a/b/c/d;p?q"},
        {"g#s", "https://a/b/c/g"},
        {";x", "https://a/b/c/;x"},
        {"", "https://a/b/c/d;p?q"},
        {".", "https://a/b/c/"},
        {"./", "https://a/b/c/"},
        {"..", "https://a/b/"},
        {"../", "https://a/b/"},
        {"../g", "https://a/b/g"},
        {"../..", "https://a/"},
        {"../../", "https://a/"},
        {"../../g", "https://a/g"},
        {"../../../g", "https://a/g"},
        {"../../../../g", "https://a/g"},
        {"/./g", "https://a/g"},
        {"/../g", "https://a/g"},
        {"g.", "https://a/b/c/g."},
        {"..g", "https://a/b/c/..g"},
        {"./../g", "https://a/b/g"},
        {"g/./h", "https://a/b/c/g/h"},
        {"g/../h", "https://a/b/c/h"},
        {"g?y/../x", "https://a/b/c/g?y/../x"},
        {"http://x/y", "http://x/y"},
        {"HTTPS://x?q", "HTTPS://x/?q"},
        {"https://user:pass@x/y", "https://x/y"},
        {"//user@x:1/y", "https://x:1/y"},
        {"a b/\xc3\xa4", "https://a/b/c/a%20b/%C3%A4"},
        {"ftp://x/y", "refused"},
        {"mailto:x", "refused"},
        {"https://x:y/", "refused"},
        {"a\rb", "refused"},
    };
    for (const auto& [reference, expected] : cases) {
        EXPECT_TRUE(resolved(base, reference) == expected)
            << reference << " gave " << resolved(base, reference);
    }
    EXPECT_TRUE(resolved("https://h", "x.bin") == "https://h/x.bin");
    EXPECT_TRUE(resolved("https://h", "?q") == "https://h/?q");
    EXPECT_TRUE(resolved("https://h:8443/a/../b", "x") == "https://h:8443/a/x" ||
                resolved("https://h:8443/a/../b", "x") == "https://h:8443/x");
}

TEST(Uri, SignedUrlStaysByteForByte) {
    std::string signed_url = "https://bucket.s3.example/a%2Fb/../%20c.bin?X-Amz-Signature=";
    while (signed_url.size() < kMaxUri - 20) signed_url += "%2F%3D+&=ab";
    EXPECT_TRUE(resolved("https://h/x", signed_url) == signed_url);
    signed_url.resize(kMaxUri + 1, 'a');
    EXPECT_TRUE(resolved("https://h/x", signed_url) == "refused");
    EXPECT_TRUE(resolved("https://h/x", "/" + std::string(kMaxUri, 'a')) == "refused");
}

TEST(Uri, PercentDecoding) {
    FixedString<128> out;
    ASSERT_TRUE(percent_decode("pa%3Ass%40%25%C3%A4", out));
    EXPECT_TRUE(out.view() == "pa:ss@%\xc3\xa4");
    EXPECT_FALSE(percent_decode("a%2", out));
    EXPECT_FALSE(percent_decode("a%zz", out));
    EXPECT_FALSE(percent_decode(std::string(129, 'a'), out));
}

}  // namespace
}  // namespace ota
