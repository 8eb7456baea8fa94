// Dates against known ones, and there and back for four centuries.
#include "wire/calendar.hpp"

#include "support/test.hpp"

namespace ota {
namespace {

TEST(Calendar, KnownTimes) {
    EXPECT_EQ(rfc3339_text(0).view(), "1970-01-01T00:00:00Z");
    EXPECT_EQ(rfc3339_text(951782400).view(), "2000-02-29T00:00:00Z");
    EXPECT_EQ(rfc3339_text(4102444799).view(), "2099-12-31T23:59:59Z");
    EXPECT_EQ(rfc3339_text(-5).view(), "1970-01-01T00:00:00Z");
    EXPECT_EQ(basic_time_text(1440938160).view(), "20150830T123600Z");
    EXPECT_EQ(parse_rfc3339("2018-01-18T09:18:06Z"), std::optional<UnixTime>(1516267086));
    EXPECT_EQ(parse_rfc3339("2018-01-18T09:18:06.250Z"), std::optional<UnixTime>(1516267086));
}

TEST(Calendar, ThereAndBack) {
    for (UnixTime time = 0; time < UnixTime{400} * 366 * 86400; time += 86400 * 5 + 3671) {
        ASSERT_EQ(parse_rfc3339(rfc3339_text(time).view()), std::optional<UnixTime>(time));
    }
}

TEST(Calendar, WhatIsNotATime) {
    for (const char* text :
         {"", "Z", "2018-01-18", "2018-01-18T09:18:06", "2018-01-18T09:18:06+01:00",
          "2018/01/18T09:18:06Z", "2018-13-18T09:18:06Z", "2018-01-32T09:18:06Z",
          "2018-00-18T09:18:06Z", "2018-01-18T24:18:06Z", "2018-01-18T09:60:06Z",
          "1969-01-18T09:18:06Z", "20x8-01-18T09:18:06Z"}) {
        EXPECT_FALSE(parse_rfc3339(text).has_value()) << text;
    }
}

}  // namespace
}  // namespace ota
