// Why the latest attempt ended as it did: one record, kept over restarts.
#include "engine/trial_bench.hpp"
#include "observe/event_text.hpp"
#include "sources/file/file_channel.hpp"
#include "sources/file/file_source.hpp"

namespace ota {
namespace {

// The report as it is after a power cycle.
AttemptRecord after_restart(Device& device) {
    EXPECT_TRUE(device.boot());
    return device.manager().snapshot().attempt;
}

bool run_to_end(Device& device) {
    (void)device.post(CommandKind::kStartUpdate);
    return device.run_until(
        [&] {
            const State state = device.state();
            return device.mailbox.queue.empty() &&
                   (state == State::kReadyToApply || state == State::kFailed);
        },
        3600000);
}

TEST(Attempt, ConfirmedTellsWhatItTook) {
    TrialBench device;
    device.source.fail_at = 9000;
    device.source.failures = 2;
    ASSERT_TRUE(device.update_and_settle());
    const AttemptRecord attempt = after_restart(device);
    EXPECT_EQ(attempt.outcome, Outcome::kConfirmed);
    EXPECT_STREQ(attempt.version.c_str(), "1.1.0");
    EXPECT_EQ(attempt.retries, 2U);
    EXPECT_EQ(attempt.received, device.source.package.size());
    EXPECT_EQ(attempt.resumed_at, 0U);
    EXPECT_GE(attempt.duration_ms, 2000U);  // two waits before the retries
    EXPECT_EQ(attempt.count, 1U);
    EXPECT_TRUE(attempt.why.ok());
}

TEST(Attempt, FailedTellsWhereAndWhyAfterARestart) {
    TrialBench device;
    device.source.fail_at = 9000;
    device.source.failures = 100;
    ASSERT_TRUE(run_to_end(device));
    const AttemptRecord attempt = after_restart(device);
    EXPECT_EQ(attempt.outcome, Outcome::kFailed);
    EXPECT_EQ(attempt.phase, State::kDownloading);
    EXPECT_EQ(attempt.why.detail(), Detail::kFileReadError);
    EXPECT_EQ(attempt.received, 9000U);
    EXPECT_EQ(attempt.retries, 8U);
}

TEST(Attempt, ContinuationSaysWhatWasThere) {
    TrialBench device;
    device.source.fail_at = 9000;
    device.source.failures = 9;
    ASSERT_TRUE(run_to_end(device));
    ASSERT_EQ(device.state(), State::kFailed);
    ASSERT_TRUE(device.update_and_settle());
    const AttemptRecord attempt = device.manager().snapshot().attempt;
    EXPECT_EQ(attempt.outcome, Outcome::kConfirmed);
    EXPECT_EQ(attempt.resumed_at, 8192U);
    EXPECT_EQ(attempt.received, device.source.package.size() - 8192);
}

TEST(Attempt, PausesAreCountedAndTimed) {
    TrialBench device;
    device.source.chunk = 256;
    device.source.idle_reads = 4;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(
        device.run_until([&] { return device.manager().snapshot().received > 8000; }, 60000));
    device.battery.values.soc_percent = 10;
    ASSERT_TRUE(device.wait_for(Notice::kPaused));
    (void)device.run_until([] { return false; }, 10000);
    device.battery.values.soc_percent = 80;
    ASSERT_TRUE(device.run_to(State::kReadyToApply));
    (void)device.post(CommandKind::kAbort);
    ASSERT_TRUE(device.run_to(State::kAborted));
    const AttemptRecord attempt = after_restart(device);
    EXPECT_EQ(attempt.outcome, Outcome::kAborted);
    EXPECT_EQ(attempt.phase, State::kReadyToApply);
    EXPECT_EQ(attempt.pauses, 1U);
    EXPECT_GE(attempt.paused_ms, 9800U);
    EXPECT_LE(attempt.paused_ms, 10400U);
    EXPECT_GE(attempt.duration_ms, attempt.paused_ms);
}

TEST(Attempt, InterruptedByAResetIsToldOnce) {
    TrialBench device;
    device.source.chunk = 256;
    device.source.idle_reads = 1;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(
        device.run_until([&] { return device.manager().snapshot().received > 8000; }, 60000));
    ASSERT_TRUE(device.boot(ResetReason::kBrownout));
    const AttemptRecord attempt = device.manager().snapshot().attempt;
    EXPECT_EQ(attempt.outcome, Outcome::kInterrupted);
    EXPECT_STREQ(attempt.version.c_str(), "1.1.0");
    ASSERT_TRUE(attempt.reset.has_value());
    EXPECT_EQ(*attempt.reset, ResetReason::kBrownout);
    const uint64_t operations = device.flash.operations();
    EXPECT_EQ(*after_restart(device).reset, ResetReason::kBrownout);
    EXPECT_EQ(device.flash.operations(), operations);
}

TEST(Attempt, InterruptionOfAContinuationIsToldToo) {
    TrialBench device;
    device.source.fail_at = 9000;
    device.source.failures = 9;
    ASSERT_TRUE(run_to_end(device));
    ASSERT_EQ(device.state(), State::kFailed);
    device.source.chunk = 256;
    device.source.idle_reads = 1;
    device.source.failures = 0;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(
        device.run_until([&] { return device.manager().snapshot().received > 12000; }, 60000));
    ASSERT_TRUE(device.boot(ResetReason::kBrownout));
    EXPECT_EQ(device.manager().snapshot().attempt.outcome, Outcome::kInterrupted);
}

TEST(Attempt, NothingIsInventedAfterAnotherAttempt) {
    TrialBench device;
    device.source.fail_at = 9000;
    device.source.failures = 9;
    ASSERT_TRUE(run_to_end(device));  // staged in part, and told
    device.clock.advance(3700000);
    device.battery.values.soc_percent = 5;
    device.source.package = make_signed_of_size("1.2.0", kTrialImageSize, 3);
    ++device.source.revision;
    ASSERT_TRUE(run_to_end(device));  // another package, refused by the battery
    EXPECT_STREQ(device.manager().snapshot().attempt.version.c_str(), "1.2.0");
    const AttemptRecord attempt = after_restart(device);
    EXPECT_EQ(attempt.outcome, Outcome::kFailed);
    EXPECT_STREQ(attempt.version.c_str(), "1.2.0");
}

TEST(Attempt, FiguresOfAnEarlierAttemptAreNotMixedIn) {
    TrialBench device;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    ASSERT_TRUE(device.boot(ResetReason::kPowerOn));  // power lost in the trial: reverted
    device.source.chunk = 256;
    device.source.idle_reads = 1;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(
        device.run_until([&] { return device.manager().snapshot().received > 5000; }, 60000));
    ASSERT_TRUE(device.boot(ResetReason::kBrownout));
    const AttemptRecord attempt = device.manager().snapshot().attempt;
    EXPECT_EQ(attempt.outcome, Outcome::kInterrupted);
    EXPECT_EQ(attempt.received, 0U);
}

TEST(Attempt, IsToldOncePerEnd) {
    TrialBench device;
    const auto reports = [&] {
        return std::count_if(device.events.events.begin(), device.events.events.end(),
                             [](const Event& e) { return e.kind == Event::Kind::kReport; });
    };
    ASSERT_TRUE(device.install());
    EXPECT_EQ(reports(), 1);  // restarted into it
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    ASSERT_TRUE(device.wait_for(Notice::kConfirmed));
    EXPECT_EQ(reports(), 2);
    ASSERT_TRUE(device.boot());
    EXPECT_EQ(reports(), 2);
    // An attempt that came to nothing is not told again by a rollback.
    device.clock.advance(3700000);  // so that it has a record
    device.battery.values.soc_percent = 5;
    device.source.package = make_signed_of_size("1.2.0", kTrialImageSize, 3);
    ASSERT_TRUE(run_to_end(device));
    device.battery.values.soc_percent = 80;
    EXPECT_EQ(reports(), 3);
    (void)device.post(CommandKind::kRollback);
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_EQ(reports(), 3);
}

TEST(Attempt, ResultLiesBesideItsOwnPackage) {
    TrialBench device;
    device.source.offered = false;
    test::FakeFileStore store;
    store.files = {{"new-1.1.0.bin", make_signed_of_size("1.1.0", kTrialImageSize, 3)},
                   {"old-1.0.0.bin", make_signed_of_size("1.0.0", kTrialImageSize, 1)}};
    FileChannel first(store, "/sd/old*.bin");
    FileChannel second(store, "/sd/new*.bin");
    FileSource source(store);
    device.extra_source = {&first, &source, SourceKind::kSdCard};
    device.second_source = {&second, &source, SourceKind::kSdCard};
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(run_to_end(device));
    (void)device.post(CommandKind::kAbort);
    ASSERT_TRUE(device.run_to(State::kAborted));
    EXPECT_FALSE(store.text_of("new-1.1.0.bin.result.json").empty());
    EXPECT_TRUE(store.text_of("old-1.0.0.bin.result.json").empty());
}

TEST(Attempt, RevertedSaysWhichResetCameBack) {
    TrialBench device;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_EQ(device.manager().snapshot().attempt.outcome, Outcome::kRestarted);
    ASSERT_TRUE(device.boot(ResetReason::kWatchdog));
    const AttemptRecord attempt = after_restart(device);
    EXPECT_EQ(attempt.outcome, Outcome::kReverted);
    ASSERT_TRUE(attempt.reset.has_value());
    EXPECT_EQ(*attempt.reset, ResetReason::kWatchdog);
    EXPECT_EQ(device.manager().snapshot().report_reason, RevertReason::kWatchdog);
}

TEST(Attempt, RefusedByTheBatteryIsOne) {
    TrialBench device;
    device.battery.values.soc_percent = 12;
    ASSERT_TRUE(run_to_end(device));
    const AttemptRecord attempt = device.manager().snapshot().attempt;
    EXPECT_EQ(attempt.phase, State::kUpdateAvailable);
    EXPECT_EQ(attempt.why.detail(), Detail::kSocLow);
    EXPECT_EQ(attempt.reading, 12);
    EXPECT_EQ(attempt.limit, 30);
}

TEST(Attempt, LookThatNobodyAskedForIsNone) {
    TrialBench device;
    device.source.failures = 100;
    device.source.fail_at = 0;
    (void)device.post(CommandKind::kCheck);
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.manager().snapshot().attempt.outcome, Outcome::kNone);
}

// A peer that makes every attempt fail before anything is proven costs one record an hour.
TEST(Attempt, OnesThatChangeNoFlashAreSummedUp) {
    TrialBench device;
    device.source.failures = UINT32_MAX;
    device.source.fail_at = 0;
    const uint64_t operations = device.flash.operations();
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(run_to_end(device));
    EXPECT_EQ(device.flash.operations(), operations);
    EXPECT_EQ(device.manager().snapshot().attempt.count, 20U);
    device.clock.advance(3600000);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(run_to_end(device));
    Journal journal(device.journal_region());
    ASSERT_TRUE(journal.open().ok());
    EXPECT_EQ(journal.record_count(), 1U);
    const AttemptRecord attempt = after_restart(device);
    EXPECT_EQ(attempt.count, 21U);
    EXPECT_EQ(attempt.outcome, Outcome::kFailed);
    EXPECT_EQ(attempt.phase, State::kChecking);
}

TEST(Attempt, LineSaysItAll) {
    AttemptRecord attempt;
    attempt.outcome = Outcome::kFailed;
    attempt.source = SourceKind::kSdCard;
    attempt.phase = State::kDownloading;
    attempt.why = {Code::kUnsafe, Origin::kSafety, Detail::kSocLow};
    attempt.reading = 12;
    attempt.limit = 30;
    attempt.received = 4096;
    attempt.resumed_at = 8192;
    attempt.retries = 3;
    attempt.pauses = 2;
    attempt.paused_ms = 61000;
    attempt.duration_ms = 90000;
    attempt.version.assign("1.2.3");
    LogLine line;
    format_attempt(attempt, RevertReason::kNone, line);
    EXPECT_STREQ(line.c_str(),
                 "REPORT: 1.2.3 from SD card failed in DOWNLOADING; 4096 bytes received, 8192 "
                 "there before, 3 retries, 2 pauses of 61 s, 90 s; state of charge too low (12 %, "
                 "limit 30 %)");
    attempt.outcome = Outcome::kReverted;
    attempt.reset = ResetReason::kPanic;
    format_attempt(attempt, RevertReason::kCrashed, line);
    EXPECT_TRUE(line.view().starts_with(
        "REPORT: 1.2.3 from SD card reverted, crashed before it was confirmed (panic); 4096"));
}

}  // namespace
}  // namespace ota
