// The front of the log, the way to its slow sinks, and the lines that events make.
#include "observe/log.hpp"

#include "observe/event_log.hpp"
#include "observe/log_queue.hpp"
#include "observe/log_text.hpp"
#include "observe/role_credentials.hpp"
#include "support/fakes.hpp"
#include "support/log_sink.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

using test::log_record;
using test::LogSinkOfTest;

// Credentials are of types that no message takes.
static_assert(std::convertible_to<FixedString<8>, LogValue>);
static_assert(!std::convertible_to<SecretText<8>, LogValue>);
static_assert(!std::convertible_to<RoleCredentials, LogValue>);
static_assert(!std::convertible_to<double, LogValue>);

struct LogFront : testing::Test {
    LogFront() { number = log.add_sink(sink, LogLevel::kInfo); }
    VirtualClock clock;
    Log log{clock, TimeFloor(), 0x1A2B3C4D};
    LogSinkOfTest sink;
    size_t number = 0;
};

TEST_F(LogFront, ValuesOfEachKind) {
    log.write(LogLevel::kInfo, "t", "plain");
    log.write(LogLevel::kInfo, "t", "{}, {} and {}", -12, uint64_t{18446744073709551615U}, "text");
    log.write(LogLevel::kInfo, "t", "{}{}", INT64_MIN, FixedString<4>("abcd"));
    log.write(LogLevel::kError, "t", "why: {}", Status{Code::kStorage, Origin::kInstall});
    ASSERT_EQ(sink.lines.size(), 4U);
    EXPECT_EQ(sink.lines[0], "plain");
    EXPECT_EQ(sink.lines[1], "-12, 18446744073709551615 and text");
    EXPECT_EQ(sink.lines[2], "-9223372036854775808abcd");
    EXPECT_EQ(sink.lines[3].substr(0, 5), "why: ");
    EXPECT_EQ(sink.last.sequence, 4U);
    EXPECT_EQ(sink.last.boot, 0x1A2B3C4DU);
    EXPECT_EQ(sink.last.level, LogLevel::kError);
}

TEST_F(LogFront, EachSinkHasItsLevel) {
    LogSinkOfTest errors;
    (void)log.add_sink(errors, LogLevel::kError);
    log.write(LogLevel::kDebug, "t", "debug");
    log.write(LogLevel::kInfo, "t", "info");
    log.write(LogLevel::kError, "t", "error");
    EXPECT_EQ(sink.lines.size(), 2U);
    EXPECT_EQ(errors.lines.size(), 1U);
    log.set_level(number, LogLevel::kOff);
    log.write(LogLevel::kError, "t", "error");
    EXPECT_EQ(sink.lines.size(), 2U);
    EXPECT_EQ(errors.lines.size(), 2U);
}

TEST_F(LogFront, ALineIsBoundedAndPrintable) {
    const std::string much(1000, 'x');
    log.write(LogLevel::kInfo, "t", "{}", std::string_view(much));
    EXPECT_EQ(sink.lines[0].size(), kMaxLogLine);
    log.write(LogLevel::kInfo, "t", "{}", "a\r\nE ota_manager: forged\x1b[2J\x7f\xC2\x9B");
    EXPECT_EQ(sink.lines[1], "a??E ota_manager: forged?[2J???");
}

TEST_F(LogFront, AFloodIsCountedNotWritten) {
    for (int i = 0; i < 100; ++i) {
        log.write(LogLevel::kWarning, "t", "again {}", i);
        clock.advance(100);
    }
    EXPECT_EQ(sink.lines.size(), Log::kMostInAWindow);
    log.write(LogLevel::kWarning, "t", "another");
    EXPECT_EQ(sink.lines.back(), "another");
    clock.advance(Log::kWindow);
    log.write(LogLevel::kWarning, "t", "again {}", 100);
    // The same place in the source is what makes lines alike.
    EXPECT_TRUE(sink.lines.back().starts_with("again 100"));
}

TEST_F(LogFront, TheNextLineSaysWhatWasLeftOut) {
    static constexpr char kKind[] = "kind";
    for (uint32_t i = 0; i < Log::kMostInAWindow + 7; ++i) {
        log.write_line(LogLevel::kInfo, "t", kKind, "line");
    }
    clock.advance(Log::kWindow);
    log.write_line(LogLevel::kInfo, "t", kKind, "line");
    EXPECT_EQ(sink.lines.back(), "line (lines like it that were left out: 7)");
    log.write_line(LogLevel::kInfo, "t", kKind, "line");
    EXPECT_EQ(sink.lines.back(), "line");
}

TEST_F(LogFront, MoreKindsThanAreWatched) {
    static constexpr std::array<char, 40> kKinds{};
    for (int round = 0; round < 3; ++round) {
        for (const char& kind : kKinds) log.write_line(LogLevel::kInfo, "t", &kind, "line");
        clock.advance(1000);
    }
    EXPECT_EQ(sink.lines.size(), 120U);
}

TEST_F(LogFront, EventsAsLines) {
    EventLog events(log, true);
    Event event;
    event.kind = Event::Kind::kProgress;
    event.total = 100000;
    for (event.received = 0; event.received <= event.total; event.received += 500) {
        events.on_event(event);
    }
    EXPECT_EQ(sink.lines.size(), 11U);
    EXPECT_EQ(sink.lines.back(), "downloaded 97 of 97 KiB (100 %)");
    Event failed;
    failed.state = State::kFailed;
    failed.status = {Code::kStorage, Origin::kInstall};
    events.on_event(failed);
    EXPECT_EQ(sink.last.level, LogLevel::kError);
    Event paused;
    paused.kind = Event::Kind::kNotice;
    paused.notice = Notice::kPaused;
    paused.status = {Code::kUnsafe, Origin::kSafety, Detail::kSocLow};
    events.on_event(paused);
    EXPECT_EQ(sink.last.level, LogLevel::kWarning);

    EventLog without(log, false);
    const size_t before = sink.lines.size();
    without.on_event(event);
    EXPECT_EQ(sink.lines.size(), before);
}

TEST(LogText, ARecordAsALine) {
    RecordLine line;
    LogRecord record = log_record("text", 12045, 17, LogLevel::kWarning);
    format_record(record, line);
    EXPECT_EQ(line.view(), "+12.045 W ota_manager 1a2b3c4d:17 text");
    record.wall = 1795999323;
    format_record(record, line);
    EXPECT_EQ(line.view(), "2026-11-30T00:42:03Z W ota_manager 1a2b3c4d:17 text");
}

TEST(LogQueue, LinesComeOutAsTheyWentIn) {
    LogQueue queue;
    LogQueue::Held held;
    EXPECT_FALSE(queue.pop(held));
    for (uint32_t i = 1; i < 300; ++i) {
        const std::string text(i % kMaxLogMetric, static_cast<char>('a' + i % 26));
        LogRecord record = log_record(text, i * 10, i, LogLevel::kError);
        record.is_metric = i % 2 == 0;
        queue.take(record);
        ASSERT_TRUE(queue.pop(held));
        EXPECT_EQ(held.record.text, text);
        EXPECT_EQ(held.record.tag, "ota_manager");
        EXPECT_EQ(held.record.sequence, i);
        EXPECT_EQ(held.record.at, i * 10);
        EXPECT_EQ(held.record.is_metric, i % 2 == 0);
        EXPECT_EQ(held.record.level, LogLevel::kError);
    }
    EXPECT_EQ(held.lost, 0U);
}

TEST(LogQueue, WhatFindsItFullIsCounted) {
    LogQueue queue;
    const std::string text(200, 'x');
    uint32_t sequence = 0;
    while (sequence < 100) queue.take(log_record(text, 0, ++sequence));
    LogQueue::Held held;
    uint32_t kept = 0;
    while (queue.pop(held)) EXPECT_EQ(held.record.sequence, ++kept);
    EXPECT_GT(kept, 10U);
    // The line behind the gap says how wide it is.
    queue.take(log_record("next", 0, 101));
    ASSERT_TRUE(queue.pop(held));
    EXPECT_EQ(held.lost, 100 - kept);
}

}  // namespace
}  // namespace ota
