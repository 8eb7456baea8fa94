// Updates from an HTTPS server through the whole engine, on virtual time.
#include "engine/https_bench.hpp"

namespace ota {
namespace {

using test::http_answer;
using test::HttpAnswer;

TEST(HttpsUpdate, CheckTellsVersionSizeAndNotesBeforeTheDownload) {
    HttpsBench device;
    device.client.notes = "Fixes the fan";
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.state(), State::kUpdateAvailable);
    const EngineSnapshot now = device.manager().snapshot();
    EXPECT_STREQ(now.offered_version, "1.1.0");
    EXPECT_STREQ(now.offered_notes, "Fixes the fan");
    EXPECT_EQ(now.offered_size, device.client.file.size());
    EXPECT_EQ(device.client.body_bytes, 288U);
}

TEST(HttpsUpdate, RetriesAreCappedAndSpread) {
    HttpsBench device;
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.check());
    HttpAnswer lost;
    lost.failure = {Code::kUnavailable, Origin::kSource, Detail::kConnectRefused};
    device.client.script.assign(100, lost);
    const Millis begin = device.clock.now();
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.detail(), Detail::kConnectRefused);
    EXPECT_EQ(device.requests(), 10U);  // the check, the first try and eight retries
    const Millis took = device.clock.now() - begin;
    EXPECT_TRUE(took > 80000 && took < 200000) << took;
}

TEST(HttpsUpdate, APeerThatGivesAByteAtATimeIsNotAskedForEver) {
    HttpsBench device;
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.check());
    device.client.lose_each_after = 1;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.requests(), 10U);
}

TEST(HttpsUpdate, SlowAndSilentServersStall) {
    HttpsBench silent;
    ASSERT_TRUE(silent.boot());
    ASSERT_TRUE(silent.check());
    silent.client.idle_reads = UINT32_MAX;
    const Millis begin = silent.clock.now();
    (void)silent.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(silent.run_to(State::kFailed, 3600000));
    EXPECT_EQ(silent.detail(), Detail::kNoAnswer);
    EXPECT_TRUE(silent.clock.now() - begin > 9 * 30000);
    // One byte a second is alive, and useless.
    HttpsBench drip;
    ASSERT_TRUE(drip.boot());
    ASSERT_TRUE(drip.check());
    drip.client.chunk = 1;
    drip.client.idle_reads = 100;
    (void)drip.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(drip.run_to(State::kFailed, 3600000));
    EXPECT_EQ(drip.detail(), Detail::kStalled);
    // So it is in a check.
    HttpsBench look;
    look.client.chunk = 1;
    look.client.idle_reads = 100;
    ASSERT_TRUE(look.boot());
    ASSERT_TRUE(look.check());
    EXPECT_EQ(look.state(), State::kFailed);
    EXPECT_EQ(look.detail(), Detail::kStalled);
}

TEST(HttpsUpdate, BusyServerIsLeftAloneAsLongAsItWants) {
    HttpsBench device;
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.check());
    device.client.script = {http_answer(503, "Retry-After", "300")};
    const Millis begin = device.clock.now();
    ASSERT_TRUE(device.download());
    EXPECT_TRUE(device.clock.now() - begin >= 300000);
    EXPECT_EQ(device.requests(), 3U);
    // Longer than an attempt may wait: it ends, and the automatic check waits instead.
    HttpsBench away;
    away.settings.check_interval_ms = 60000;
    away.settings.automatic_update = true;
    away.client.script = {http_answer(503, "Retry-After", "7200")};
    ASSERT_TRUE(away.boot());
    ASSERT_TRUE(away.run_to(State::kFailed));
    EXPECT_EQ(away.detail(), Detail::kServerBusy);
    const Millis failed = away.clock.now();
    ASSERT_TRUE(away.run_until([&] { return away.requests() == 2; }, 10000000));
    EXPECT_TRUE(away.clock.now() - failed >= 7200000);
    ASSERT_TRUE(away.run_until([&] { return away.restart_requested(); }));
}

TEST(HttpsUpdate, StagedBytesOutliveWhatTheServerSays) {
    for (const uint16_t status : std::to_array<uint16_t>({401, 403, 404, 501})) {
        HttpsBench device;
        ASSERT_TRUE(device.boot());
        ASSERT_TRUE(device.check());
        device.client.script = {http_answer(status)};
        HttpAnswer half = http_answer(206, "Content-Range",
                                      "bytes 0-20479/" + std::to_string(device.client.file.size()));
        half.fields.emplace_back("ETag", "\"v1\"");
        half.body.assign(device.client.file.begin(), device.client.file.begin() + 20480);
        device.client.script.insert(device.client.script.begin(), half);
        (void)device.post(CommandKind::kStartUpdate);
        ASSERT_TRUE(device.run_to(State::kFailed)) << status;
        ASSERT_TRUE(device.boot());
        device.client.body_bytes = 0;
        ASSERT_TRUE(device.download());
        EXPECT_TRUE(device.client.body_bytes <= device.client.file.size() - 20480 + 288 + 4096);
    }
}

TEST(HttpsUpdate, PackageThatChangesInMidDownloadStartsOver) {
    HttpsBench device;
    device.settings.automatic_update = true;
    device.settings.check_interval_ms = 3600000;
    device.client.lose_each_after = 10000;
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.run_until([&] { return device.requests() == 2; }));
    device.client.file = make_signed_of_size("1.2.0", kUpdateImageSize, 3);
    device.client.tag = "\"v2\"";
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.detail(), Detail::kFileChanged);
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_TRUE(device.running_version() == "1.2.0");
}

TEST(HttpsUpdate, PauseKeepsTheConnectionForHalfAMinute) {
    HttpsBench device;
    device.client.idle_reads = 5;
    ASSERT_TRUE(device.boot());
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_until([&] { return device.client.body_bytes > 8000; }));
    device.battery.values.soc_percent = 10;
    ASSERT_TRUE(device.run_until([&] { return device.manager().snapshot().paused; }));
    ASSERT_FALSE(device.run_until([] { return false; }, 20000));
    EXPECT_TRUE(device.client.open);
    device.battery.values.soc_percent = 80;
    ASSERT_TRUE(device.run_until([&] { return device.client.body_bytes > 16000; }));
    EXPECT_EQ(device.requests(), 2U);  // the same connection
    device.battery.values.soc_percent = 10;
    ASSERT_FALSE(device.run_until([] { return false; }, 40000));
    EXPECT_FALSE(device.client.open);
    device.battery.values.soc_percent = 80;
    ASSERT_TRUE(device.run_to(State::kReadyToApply));
    EXPECT_EQ(device.requests(), 3U);
    EXPECT_EQ(device.client.body_bytes, device.client.file.size() + 288);
}

TEST(HttpsUpdate, DailyLimitIsWaitedForOnceAndThenContinuedByRange) {
    HttpsSource::Config config;
    config.max_bytes_per_day = 20000;
    HttpsBench device(config);
    device.settings.automatic_update = true;
    device.settings.check_interval_ms = 3600000;
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.detail(), Detail::kDailyLimit);
    (void)device.post(CommandKind::kCheck);  // somebody asks in between
    const Millis failed = device.clock.now();
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }, 200000000));
    EXPECT_TRUE(device.clock.now() - failed > 86000000);
    EXPECT_TRUE(device.requests() <= 5) << device.requests();
    EXPECT_TRUE(device.client.requests.back().field("Range") != "bytes=0-");
    // A server without ranges would send the same first part every day.
    HttpsBench hopeless(config);
    ASSERT_TRUE(hopeless.boot());
    ASSERT_FALSE(hopeless.download());
    hopeless.clock.advance(90000000);
    hopeless.client.has_ranges = false;
    ASSERT_FALSE(hopeless.download());
    EXPECT_TRUE(Status::from_word(hopeless.manager().snapshot().error).is(Code::kRefused));
}

TEST(HttpsUpdate, CredentialsThatAreRefusedAreNotTriedMoreOften) {
    HttpsBench device;
    device.settings.check_interval_ms = 86400000;
    device.client.script.assign(3, http_answer(401));
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.run_to(State::kFailed));
    ASSERT_FALSE(device.run_until([&] { return device.requests() > 1; }, 80000000));
    ASSERT_TRUE(device.run_until([&] { return device.requests() > 1; }, 10000000));
}

}  // namespace
}  // namespace ota
