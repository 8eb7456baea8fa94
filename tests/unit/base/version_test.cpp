#include "base/version.hpp"

#include <array>

#include "support/test.hpp"

namespace ota {
namespace {

bool parses(std::string_view text) {
    Version version;
    return parse_version(text, version).ok();
}

std::strong_ordering compare(std::string_view a, std::string_view b) {
    Version x;
    Version y;
    EXPECT_TRUE(parse_version(a, x).ok());
    EXPECT_TRUE(parse_version(b, y).ok());
    return compare_versions(x, y);
}

TEST(Version, AcceptsWhatSemverAccepts) {
    for (const char* text :
         {"0.0.0", "1.2.3", "v1.2.3", "10.20.30", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-0.3.7",
          "1.0.0-x-y-z.4", "1.0.0+001", "1.0.0-beta+exp.sha.5114f85", "999999999.0.0"}) {
        EXPECT_TRUE(parses(text)) << text;
    }
}

TEST(Version, RefusesEverythingElse) {
    for (const char* text : {"", "1", "1.2", "1.2.3.4", "01.2.3", "1.02.3", "1.2.3-", "1.2.3-01",
                             "1.2.3-a..b", "1.2.3+", "1.2.x", " 1.2.3", "1.2.3 ", "-1.2.3",
                             "1.2.3-a_b", "1000000000.0.0", "1..3", "vv1.2.3", "1.2.3-a."}) {
        EXPECT_FALSE(parses(text)) << text;
    }
}

// semver.org 2.0.0, section 11.
TEST(Version, OrdersAsSemverSays) {
    constexpr std::array<const char*, 12> kRising = {
        "0.9.9",      "1.0.0-alpha",  "1.0.0-alpha.1", "1.0.0-alpha.beta",
        "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
        "1.0.0",      "1.0.1",        "1.10.0",        "2.0.0"};
    for (size_t i = 0; i < kRising.size(); ++i) {
        for (size_t j = 0; j < kRising.size(); ++j) {
            EXPECT_TRUE(compare(kRising[i], kRising[j]) == (i <=> j))
                << kRising[i] << " " << kRising[j];
        }
    }
}

TEST(Version, IgnoresBuildMetadata) {
    EXPECT_TRUE(compare("1.0.0+a", "1.0.0+b") == std::strong_ordering::equal);
}

}  // namespace
}  // namespace ota
