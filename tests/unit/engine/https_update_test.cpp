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

TEST(HttpsUpdate, WholeWayAndThenNothingNew) {
    HttpsBench device;
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.update_and_settle());
    EXPECT_TRUE(device.running_version() == "1.1.0");
    EXPECT_EQ(device.client.body_bytes, device.client.file.size() + 288);
    const uint64_t before = device.client.body_bytes;
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.state(), State::kIdle);
    EXPECT_EQ(device.detail(), Detail::kNotModified);
    EXPECT_EQ(device.client.body_bytes, before);  // 304
    // The tag that runs is kept over a power cycle, and told when a person asks, too.
    ASSERT_TRUE(device.boot());
    (void)device.post(CommandKind::kStartUpdate);
    device.step();
    ASSERT_TRUE(device.run_to(State::kIdle));
    EXPECT_EQ(device.detail(), Detail::kNotModified);
    EXPECT_EQ(device.client.body_bytes, before);
}

TEST(HttpsUpdate, TagOfARevertedImageIsNotSent) {
    HttpsBench device;
    test::FakeProbe probe;
    device.probes = {&probe};
    ASSERT_TRUE(device.boot());
    probe.health = Health::kFail;
    (void)device.update_and_settle();
    ASSERT_TRUE(device.running_version() == "1.0.0");
    const size_t before = device.requests();
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.detail(), Detail::kRevertedBefore);  // found by its first bytes
    EXPECT_TRUE(device.client.requests[before].field("If-None-Match").empty());
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.detail(), Detail::kNotModified);  // and not looked at again
    // A person may ask for it again.
    EXPECT_TRUE(device.download());
}

TEST(HttpsUpdate, RefusedPackageIsNotFetchedAgainNotEvenAfterARestart) {
    HttpsBench device;
    device.client.file = test::make_image({.version = "1.1.0"});
    ASSERT_TRUE(device.boot());
    EXPECT_FALSE(device.download());
    EXPECT_EQ(device.detail(), Detail::kSignatureMissing);
    ASSERT_TRUE(device.boot());
    const uint64_t before = device.client.body_bytes;
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.detail(), Detail::kNotModified);
    EXPECT_EQ(device.client.body_bytes, before);
    // The server gets a good one under another tag.
    device.client.file = make_signed_of_size("1.1.0", kUpdateImageSize, 2);
    device.client.tag = "\"v2\"";
    EXPECT_TRUE(device.download());
}

TEST(HttpsUpdate, TagOfAFailedAttemptIsDropped) {
    HttpsBench device;
    device.client.lose_each_after = 4096;
    ASSERT_TRUE(device.boot());
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_to(State::kDownloading));
    (void)device.post(CommandKind::kAbort);
    ASSERT_TRUE(device.run_to(State::kAborted));
    const size_t before = device.requests();
    ASSERT_TRUE(device.check());
    EXPECT_TRUE(device.client.requests[before].field("If-None-Match").empty());
    EXPECT_EQ(device.state(), State::kUpdateAvailable);
}

TEST(FieldCase, A02_looking_first_costs_no_byte) {
    for (const int looks : {0, 1, 2}) {
        HttpsBench device;
        device.client.chunk = 1000;
        ASSERT_TRUE(device.boot());
        for (int i = 0; i < looks; ++i) ASSERT_TRUE(device.check());
        ASSERT_TRUE(device.download());
        EXPECT_TRUE(device.standby_holds(device.client.file)) << looks;
    }
}

TEST(FieldCase, A09_every_kth_read_goes_wrong) {
    for (const uint32_t every : {2U, 3U, 7U}) {
        for (const auto how :
             {test::FakeHttpClient::Wrong::kFailure, test::FakeHttpClient::Wrong::kNothing,
              test::FakeHttpClient::Wrong::kShort}) {
            HttpsBench device;
            device.client.wrong_every = every;
            device.client.wrong = how;
            ASSERT_TRUE(device.boot());
            ASSERT_TRUE(device.download()) << every;
            EXPECT_TRUE(device.standby_holds(device.client.file)) << every;
            EXPECT_TRUE(device.requests() < 40);
            EXPECT_EQ(device.flash.misuses(), 0U);
        }
    }
}

TEST(FieldCase, A04_unknown_length_is_taken_and_bounded) {
    HttpsBench device;
    device.client.has_ranges = false;
    device.client.announces_length = false;
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.update_and_settle());
    EXPECT_TRUE(device.running_version() == "1.1.0");
    for (const Event& event : device.events.events) {
        EXPECT_TRUE(event.kind != Event::Kind::kProgress || event.total == 0);
    }
    // More than the slot holds ends with a size error and leaves the running image alone.
    HttpsBench full;
    full.client.has_ranges = false;
    full.client.announces_length = false;
    full.client.file.resize(0x20000 + 1, 0x55);
    ASSERT_TRUE(full.boot());
    (void)full.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(full.run_to(State::kFailed));
    EXPECT_EQ(full.detail(), Detail::kImageLength);  // seen where the image ends
    ASSERT_TRUE(full.boot());
    EXPECT_TRUE(full.running_version() == "1.0.0");
}

TEST(FieldCase, A06_first_without_length_then_normally) {
    HttpsBench device;
    device.client.announces_length = false;
    device.client.has_ranges = false;
    ASSERT_TRUE(device.boot());
    HttpAnswer broken = http_answer(200, "ETag", device.client.tag);
    broken.announce_length = false;
    broken.body.assign(device.client.file.begin(), device.client.file.begin() + 10000);
    HttpAnswer look = broken;
    look.body = device.client.file;
    device.client.script = {look, broken};  // the check, then half the file and a quiet end
    EXPECT_TRUE(device.download());
    EXPECT_EQ(device.requests(), 3U);
    device.client.announces_length = device.client.has_ranges = true;
    (void)device.post(CommandKind::kAbort);
    ASSERT_TRUE(device.run_to(State::kAborted));
    EXPECT_TRUE(device.download());
}

TEST(FieldCase, A08_short_body_never_gets_verified) {
    HttpsBench device;
    ASSERT_TRUE(device.boot());
    device.client.lose_each_after = device.client.file.size() - 1;
    ASSERT_TRUE(device.download());
    EXPECT_EQ(device.requests(), 3U);
    EXPECT_TRUE(device.client.requests[2].field("Range") ==
                "bytes=" + std::to_string(device.client.file.size() - 1) + "-");
    EXPECT_EQ(device.client.body_bytes, device.client.file.size() + 288);  // no byte twice
    size_t verifying = 0;
    for (const State state : device.signal.entries) verifying += state == State::kVerifying ? 1 : 0;
    EXPECT_EQ(verifying, 1U);
}

TEST(FieldCase, A18_flapping_link_finishes) {
    HttpsBench device;
    device.client.lose_each_after = 3000;
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.download());
    EXPECT_TRUE(device.client.body_bytes <= device.client.file.size() + 288);
    EXPECT_TRUE(device.requests() > device.client.file.size() / 3000);
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
    EXPECT_EQ(silent.detail(), Detail::kStalled);
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

TEST(FieldCase, A19_ten_failures_in_a_row_leave_nothing_behind) {
    HttpsBench device;
    ASSERT_TRUE(device.boot());
    HttpAnswer lost;
    lost.failure = {Code::kUnavailable, Origin::kSource, Detail::kDnsFailed};
    for (int i = 0; i < 10; ++i) {
        device.client.script.assign(i % 2 == 0 ? 1 : 10, i % 2 == 0 ? lost : http_answer(500));
        (void)device.post(CommandKind::kStartUpdate);
        device.step();
        ASSERT_TRUE(device.run_to(State::kFailed)) << i;
        EXPECT_FALSE(device.client.open);
        device.client.script.clear();
    }
    EXPECT_TRUE(device.download());
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

TEST(HttpsUpdate, ProvenTimeIsAFloorForTheNextBoot) {
    HttpsBench device;
    device.clock.set_wall(1800000000);
    ASSERT_TRUE(device.boot());
    EXPECT_EQ(device.manager().time_floor().proven, 0);
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.manager().time_floor().proven, 1800000000);
    const uint64_t before = device.flash.operations();
    device.clock.set_wall(1800000000 + 86000);
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.flash.operations(), before);  // once a day at most
    device.clock.set_wall(7);                      // power was lost, and with it the time
    ASSERT_TRUE(device.boot());
    EXPECT_EQ(device.manager().time_floor().proven, 1800000000);
}

}  // namespace
}  // namespace ota
