// Batches for CloudWatch: their JSON, times, limits, and what is lost when there is no room.
#include "observe/log_batch.hpp"

#include <nlohmann/json.hpp>

#include "observe/metrics_log.hpp"
#include "support/log_sink.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

using nlohmann::json;
using test::log_record;

constexpr int64_t kOffset = 1795999323000;
constexpr Millis kHour = 3600000;

json events_of(const LogBatch& batch) {
    return json::parse("[" + std::string(batch.sealed()) + "]", nullptr, false);
}

TEST(LogBatch, EventsHaveTheTimeOfDay) {
    LogBatch batch;
    batch.add(log_record("first", 5));
    batch.add(log_record("say \"x\" \\ \xC3\xA4", 70, 2, LogLevel::kError));
    EXPECT_EQ(batch.since(), 5U);
    batch.seal(100, kOffset, SIZE_MAX);
    const json events = events_of(batch);
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0]["timestamp"], kOffset + 5);
    EXPECT_EQ(events[0]["message"], "I ota_manager 1a2b3c4d:1 first");
    EXPECT_EQ(events[1]["timestamp"], kOffset + 70);
    EXPECT_EQ(events[1]["message"], "E ota_manager 1a2b3c4d:2 say \"x\" \\ ??");
    batch.drop();
    EXPECT_TRUE(batch.empty());
}

TEST(LogBatch, I07_a_clock_that_is_set_back_keeps_the_order) {
    LogBatch batch;
    batch.add(log_record("a", 5));
    batch.seal(100, kOffset, SIZE_MAX);
    batch.unseal();
    EXPECT_EQ(batch.since(), 5U);
    batch.add(log_record("b", 200));
    batch.seal(300, kOffset - 3600000, SIZE_MAX);
    const json events = events_of(batch);
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0]["timestamp"], kOffset - 3600000 + 5);
    EXPECT_EQ(events[1]["timestamp"], kOffset - 3600000 + 200);
}

TEST(LogBatch, WhatComesMeanwhileWaits) {
    LogBatch batch;
    batch.add(log_record("a", 5));
    batch.seal(100, kOffset, SIZE_MAX);
    const std::string before(batch.sealed());
    for (uint32_t i = 0; i < 1000; ++i) batch.add(log_record("meanwhile", 200 + i, i));
    EXPECT_EQ(batch.sealed(), before);
    batch.drop();
    batch.seal(2000, kOffset, SIZE_MAX);
    const json events = events_of(batch);
    ASSERT_GT(events.size(), 10U);
    EXPECT_EQ(events.back()["message"], "I ota_manager 1a2b3c4d:999 meanwhile");
}

TEST(LogBatch, TheOldestMakeRoomAndAreCounted) {
    LogBatch batch;
    constexpr uint32_t kLines = 1000;
    for (uint32_t i = 1; i <= kLines; ++i) batch.add(log_record("line", i, i));
    batch.seal(kLines, kOffset, SIZE_MAX);
    const size_t kept = events_of(batch).size();
    EXPECT_EQ(kept + batch.lost(), kLines);
    EXPECT_GT(kept, 20U);
    EXPECT_LE(batch.size(), build::kLogBatch);
    batch.drop();
    batch.add(log_record("next", kLines + 1, kLines + 1));
    batch.seal(kLines + 1, kOffset, SIZE_MAX);
    const json events = events_of(batch);
    EXPECT_EQ(events[0]["message"],
              "W log lines lost before this one: " + std::to_string(kLines - kept));
    EXPECT_EQ(batch.lost(), 0U);
}

TEST(LogBatch, NoBatchSpansMoreThanADay) {
    LogBatch batch;
    batch.add(log_record("a", 0));
    batch.add(log_record("b", 24 * kHour));
    batch.add(log_record("c", 24 * kHour + 1));
    batch.seal(25 * kHour, kOffset, SIZE_MAX);
    EXPECT_EQ(batch.sealed_count(), 2U);
    batch.drop();
    batch.seal(25 * kHour, kOffset, SIZE_MAX);
    EXPECT_EQ(events_of(batch)[0]["message"], "I ota_manager 1a2b3c4d:1 c");
}

TEST(LogBatch, WhatIsTooOldIsNotSent) {
    LogBatch batch;
    batch.add(log_record("a", 0));
    batch.add(log_record("b", 24 * kHour));
    batch.seal(15 * 24 * kHour - 1, kOffset, SIZE_MAX);
    EXPECT_EQ(batch.lost(), 1U);
    EXPECT_EQ(batch.sealed_count(), 1U);
    batch.drop();
    batch.add(log_record("c", 0));
    batch.seal(30 * 24 * kHour, kOffset, SIZE_MAX);
    EXPECT_EQ(batch.sealed_count(), 0U);
    EXPECT_EQ(batch.sealed(), "");
}

TEST(LogBatch, NoMoreEventsThanAsked) {
    LogBatch batch;
    for (uint32_t i = 0; i < 5; ++i) batch.add(log_record("line", i, i));
    batch.seal(10, kOffset, 2);
    EXPECT_EQ(batch.sealed_count(), 2U);
    EXPECT_EQ(events_of(batch).size(), 2U);
}

// The specification of CloudWatch's embedded metric format.
TEST(LogBatch, AMetricIsOneObjectWithItsTime) {
    AttemptRecord attempt;
    attempt.outcome = Outcome::kFailed;
    attempt.source = SourceKind::kAwsIot;
    attempt.version.assign("1.2.3-a_longer_version_of_theirs1");
    attempt.duration_ms = UINT32_MAX;
    attempt.paused_ms = UINT32_MAX;
    attempt.received = UINT32_MAX;
    attempt.retries = UINT16_MAX;
    const std::string thing(128, 't');
    MetricText text;
    attempt.outcome = Outcome::kInterrupted;
    format_metrics(attempt, std::string(64, 'n'), thing, 5, text);
    EXPECT_TRUE(text.view().ends_with("}"));
    // A version is whatever an image says that nobody has verified.
    AttemptRecord strange = attempt;
    strange.version = FixedString<32>(std::string(32, '\n'));
    format_metrics(strange, std::string(64, 'n'), thing, 5, text);
    EXPECT_TRUE(text.view().ends_with("}"));
    attempt.outcome = Outcome::kFailed;
    format_metrics(attempt, "BESS/OTA", thing, 5, text);
    LogBatch batch;
    LogRecord record = log_record(text.view(), 5);
    record.is_metric = true;
    batch.add(record);
    batch.seal(10, kOffset, SIZE_MAX);
    const json events = events_of(batch);
    ASSERT_EQ(events.size(), 1U);
    const json metric = json::parse(std::string(events[0]["message"]), nullptr, false);
    ASSERT_FALSE(metric.is_discarded());
    EXPECT_EQ(metric["_aws"]["Timestamp"], kOffset + 5);
    const json directive = metric["_aws"]["CloudWatchMetrics"][0];
    EXPECT_EQ(directive["Namespace"], "BESS/OTA");
    for (const json& dimension : directive["Dimensions"][0]) {
        EXPECT_TRUE(metric[std::string(dimension)].is_string());
    }
    for (const json& one : directive["Metrics"]) {
        EXPECT_TRUE(metric[std::string(one["Name"])].is_number());
    }
    EXPECT_EQ(metric["Failures"], 1);
    EXPECT_EQ(metric["Thing"], thing);
    batch.unseal();
    batch.seal(10, kOffset + 7, SIZE_MAX);
    const json again = json::parse(std::string(events_of(batch)[0]["message"]), nullptr, false);
    EXPECT_EQ(again["_aws"]["Timestamp"], kOffset + 12);
}

}  // namespace
}  // namespace ota
