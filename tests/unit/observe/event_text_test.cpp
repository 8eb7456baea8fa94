#include "observe/event_text.hpp"

#include "support/test.hpp"

namespace ota {
namespace {

Event paused(Detail detail, int32_t reading, int32_t limit) {
    Event event;
    event.kind = Event::Kind::kNotice;
    event.notice = Notice::kPaused;
    event.status = {Code::kUnsafe, Origin::kSafety, detail};
    event.reading = reading;
    event.limit = limit;
    return event;
}

bool ends_with(const Event& event, std::string_view end) {
    LogLine line;
    format_event(event, line);
    return line.view().ends_with(end);
}

TEST(EventText, ReadingsHaveTheirUnitsAndSigns) {
    EXPECT_TRUE(ends_with(paused(Detail::kSocLow, 12, 30), " (12 %, limit 30 %)"));
    EXPECT_TRUE(
        ends_with(paused(Detail::kTemperatureHigh, 50500, 45000), " (50.5 C, limit 45.0 C)"));
    EXPECT_TRUE(ends_with(paused(Detail::kTemperatureLow, -500, 0), " (-0.5 C, limit 0.0 C)"));
    EXPECT_TRUE(
        ends_with(paused(Detail::kTemperatureLow, -12345, -10000), " (-12.3 C, limit -10.0 C)"));
    EXPECT_TRUE(
        ends_with(paused(Detail::kCurrentHigh, -15000, 10000), " (-15000 mA, limit 10000 mA)"));
    EXPECT_TRUE(
        ends_with(paused(Detail::kBatteryStale, 6000, 5000), " (6000 ms old, limit 5000 ms)"));
}

TEST(EventText, EveryNameIsThere) {
    for (int i = 0; i < kStateCount; ++i) {
        EXPECT_NE(std::string_view(state_name(static_cast<State>(i))), "UNKNOWN") << i;
    }
    EXPECT_STREQ(state_name(static_cast<State>(kStateCount)), "UNKNOWN");
    EXPECT_STREQ(notice_name(Notice::kRepaired), "REPAIRED");
    EXPECT_STREQ(revert_reason_text(RevertReason::kRequested), "on request");
}

}  // namespace
}  // namespace ota
