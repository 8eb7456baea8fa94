#include "safety/schedule.hpp"

#include "support/suit_factory.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

namespace cbor = test::cbor;
constexpr UnixTime kNoon = 1795608000;  // 2026-11-25T12:00:00Z, a Wednesday

Status wait(const std::vector<std::pair<uint64_t, int64_t>>& events, UnixTime wall,
            bool clock_is_set = true, bool authorized = true) {
    std::vector<std::pair<test::Buffer, test::Buffer>> pairs;
    for (const auto& [event, argument] : events) {
        pairs.emplace_back(cbor::head(0, event), cbor::number(argument));
    }
    const test::Buffer info = cbor::map(pairs);
    return wait_is_over(info, {wall, clock_is_set, authorized});
}

TEST(Schedule, EveryEventHasToHaveCome) {
    EXPECT_TRUE(wait({}, kNoon).ok());
    EXPECT_TRUE(wait({{5, kNoon}}, kNoon).ok());
    EXPECT_TRUE(wait({{5, kNoon + 1}}, kNoon).is(Code::kTryAgain));
    EXPECT_TRUE(wait({{1, 10}}, kNoon).ok());
    EXPECT_TRUE(wait({{1, 10}}, kNoon, true, false).is(Code::kTryAgain));
    EXPECT_TRUE(wait({{1, 10}, {5, kNoon + 1}}, kNoon).is(Code::kTryAgain));
    EXPECT_TRUE(wait({{9, 3}}, kNoon).ok());  // Wednesday
    EXPECT_TRUE(wait({{9, 4}}, kNoon).is(Code::kTryAgain));
}

TEST(Schedule, TimeOfDayIsAStartPointWithAWindow) {
    const int64_t noon = 12 * 3600;
    EXPECT_TRUE(wait({{8, noon}}, kNoon).ok());
    EXPECT_TRUE(wait({{8, noon}}, kNoon - 1).is(Code::kTryAgain));
    EXPECT_TRUE(wait({{8, noon}}, kNoon + kWindowLength - 1).ok());
    EXPECT_TRUE(wait({{8, noon}}, kNoon + kWindowLength).is(Code::kTryAgain));
    // Over midnight: at 23:30 it opens, at 00:30 it is open still.
    const UnixTime half_past_midnight = kNoon + 12 * 3600 + 1800;
    EXPECT_TRUE(wait({{8, 23 * 3600 + 1800}}, half_past_midnight).ok());
}

TEST(Schedule, UnknownClockIsClosed) {
    EXPECT_TRUE(wait({{5, 1}}, 100, false).is(Code::kTryAgain));
    EXPECT_TRUE(wait({{8, 0}}, 100, false).is(Code::kTryAgain));
    EXPECT_TRUE(wait({{1, 0}}, 100, false).ok());  // authorization needs no clock
}

TEST(Schedule, EventsWithoutAMeaningHereAreRefused) {
    for (const uint64_t event : {2U, 3U, 4U, 6U, 7U, 10U}) {
        EXPECT_TRUE(wait({{event, 1}}, kNoon).is(Code::kIncompatible)) << event;
    }
    EXPECT_TRUE(wait({{8, 86400}}, kNoon).is(Code::kIncompatible));
    EXPECT_TRUE(wait({{9, 7}}, kNoon).is(Code::kIncompatible));
    EXPECT_FALSE(wait_is_over({}, {}).ok());
}

}  // namespace
}  // namespace ota
