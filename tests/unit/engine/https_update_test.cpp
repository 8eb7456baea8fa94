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
    // The tag that runs is kept over a power cycle.
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.detail(), Detail::kNotModified);
    EXPECT_EQ(device.client.body_bytes, before);
    // A person gets a look without it: a tag may be wrong, too.
    (void)device.post(CommandKind::kStartUpdate);
    device.step();
    ASSERT_TRUE(device.run_to(State::kIdle));
    EXPECT_EQ(device.detail(), Detail::kVersionSame);
    EXPECT_EQ(device.client.body_bytes, before + 288);
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
    const uint64_t bytes = device.client.body_bytes;
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.detail(), Detail::kRevertedBefore);
    EXPECT_EQ(device.client.body_bytes, bytes);  // and not looked at again
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
    // What goes on behind the image is none of it.
    HttpsBench junk;
    junk.client.has_ranges = junk.client.announces_length = false;
    junk.client.file.resize(0x20000 + 1, 0x55);
    ASSERT_TRUE(junk.boot());
    EXPECT_FALSE(junk.download());
    EXPECT_EQ(junk.detail(), Detail::kImageLength);
    // An image larger than the slot: said at once when the size is known, else when the slot is
    // full.
    for (const bool known : {true, false}) {
        HttpsBench full;
        full.client.has_ranges = full.client.announces_length = known;
        full.client.file = make_signed_of_size("1.1.0", 0x20000 + 0x4000, 2);
        ASSERT_TRUE(full.boot());
        EXPECT_FALSE(full.download());
        EXPECT_EQ(full.detail(), Detail::kSlotTooSmall);
        EXPECT_EQ(full.client.body_bytes <= 288, known);
        ASSERT_TRUE(full.boot());
        EXPECT_TRUE(full.running_version() == "1.0.0");
    }
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

// A link that breaks every minute, and takes an hour.
class FlappingClient final : public test::FakeHttpClient {
  public:
    explicit FlappingClient(Clock& clock) : clock_(clock) {}
    Result<size_t> read(MutableBytes out) override {
        if (clock_.now() >= next_flap_) {
            next_flap_ = clock_.now() + 60000;
            ++flaps;
            return Status{Code::kUnavailable, Origin::kSource, Detail::kConnectionLost};
        }
        return FakeHttpClient::read(out);
    }
    int flaps = 0;

  private:
    Clock& clock_;
    Millis next_flap_ = 60000;
};

TEST(FieldCase, A18_flapping_link_finishes) {
    Device device;
    FlappingClient client(device.clock);
    TimeFloor floor;
    HttpsSource https(client, device.clock, floor, {});
    HttpsChannel channel("https://update.example/bess.bin");
    device.source.offered = false;
    device.extra_source = {&channel, &https};
    device.put_image(0, make_signed_of_size("1.0.0", kUpdateImageSize, 1));
    client.file = make_signed_of_size("1.1.0", 0x1E000, 2);
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE((device.post(CommandKind::kCheck).ok() && device.run_to(State::kUpdateAvailable)));
    client.chunk = 36;  // bytes a second, at a poll each 10 ms
    client.idle_reads = 99;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_to(State::kReadyToApply, 5400000));
    EXPECT_TRUE(client.flaps >= 55) << client.flaps;
    EXPECT_TRUE(client.body_bytes <= client.file.size() + 288);
}

TEST(FieldCase, A16_dripping_while_old_bytes_are_skipped_is_a_stall) {
    HttpsBench device;
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.check());
    device.client.has_ranges = false;
    HttpAnswer half = http_answer(200, "ETag", device.client.tag);
    half.body = device.client.file;
    half.lost_after = 20000;
    device.client.script = {half};
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_until([&] { return device.requests() == 3; }));
    device.client.chunk = 1;
    device.client.idle_reads = 2500;  // a byte each 25 s
    ASSERT_TRUE(device.run_to(State::kFailed, 3600000));
    EXPECT_EQ(device.detail(), Detail::kStalled);
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

TEST(HttpsUpdate, OnlyAFullVerificationProvesTheTimeAndItCorrectsAWrongOne) {
    constexpr UnixTime kRight = kFirstBuild + 30000000;
    constexpr UnixTime kWrong = kFirstBuild + 900000000;
    HttpsBench device;
    device.clock.set_wall(kWrong);
    device.client.reuses_connection = true;  // nothing was verified at the wrong time
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.manager().time_floor().proven, 0);
    device.client.reuses_connection = false;
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.manager().time_floor().proven, kWrong);
    device.clock.set_wall(kRight);
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.manager().time_floor().proven, kRight);
}

TEST(HttpsUpdate, RefusalEndsWithTheKeysThatMadeIt) {
    HttpsBench device;
    device.client.file = test::make_signed({.version = "1.1.0"}, test::Key::kOtherEc);
    ASSERT_TRUE(device.boot());
    EXPECT_FALSE(device.download());
    EXPECT_EQ(device.detail(), Detail::kSignatureUntrusted);
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.detail(), Detail::kNotModified);
    // The key joins the trusted ones.
    ASSERT_TRUE(device.trusted.load_pem(test::public_pem(test::Key::kOtherEc)).ok());
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.state(), State::kUpdateAvailable);
    EXPECT_TRUE(device.download());
}

TEST(HttpsUpdate, StreamOfUnknownLengthIsRefusedForItsSignatureButNotForAMissingOne) {
    HttpsBench untrusted;
    untrusted.client.has_ranges = untrusted.client.announces_length = false;
    untrusted.client.file = test::make_signed({.version = "1.1.0"}, test::Key::kOtherEc);
    ASSERT_TRUE(untrusted.boot());
    EXPECT_FALSE(untrusted.download());
    EXPECT_EQ(untrusted.detail(), Detail::kSignatureUntrusted);
    ASSERT_TRUE(untrusted.check());
    EXPECT_EQ(untrusted.detail(), Detail::kRefusedBefore);
    // Cut exactly where the signature sector begins, it looks like a whole, unsigned image.
    HttpsBench cut;
    cut.client.has_ranges = cut.client.announces_length = false;
    const test::Buffer good = cut.client.file;
    cut.client.file = test::make_image({.version = "1.1.0"});
    ASSERT_TRUE(cut.boot());
    EXPECT_FALSE(cut.download());
    EXPECT_EQ(cut.detail(), Detail::kSignatureMissing);
    cut.client.file = good;
    ASSERT_TRUE(cut.check());
    EXPECT_EQ(cut.state(), State::kUpdateAvailable);
}

TEST(HttpsUpdate, GoodFileInThePlaceOfABadOneIsTakenWithoutTags) {
    HttpsBench device;
    device.client.tag.clear();
    device.client.modified.clear();
    const test::Buffer good = device.client.file;
    device.client.file[20000] ^= 1;
    ASSERT_TRUE(device.boot());
    EXPECT_FALSE(device.download());
    device.client.file = make_signed_of_size("1.1.0", kUpdateImageSize, 7);  // of the same size
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.state(), State::kUpdateAvailable);
    EXPECT_TRUE(device.download());
}

TEST(HttpsUpdate, PiecesOfTwoFilesDoNotCondemnTheGoodOne) {
    HttpsBench device;
    device.client.tag.clear();  // nothing tells the two apart
    device.client.modified.clear();
    const test::Buffer good = device.client.file;
    device.client.file[4000] ^= 1;
    device.client.lose_each_after = 20000;
    ASSERT_TRUE(device.boot());
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_until([&] { return device.client.body_bytes > 10000; }));
    device.client.file = good;
    ASSERT_TRUE(device.run_to(State::kFailed));
    device.client.lose_each_after.reset();
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.state(), State::kUpdateAvailable);
    EXPECT_TRUE(device.download());
}

TEST(HttpsUpdate, SameBuildUnderAnotherTagIsContinued) {
    HttpsBench device;
    device.client.lose_each_after = 20480;
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.check());
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_until([&] { return device.client.body_bytes >= 20480; }));
    device.client.tag = "\"of-the-other-server\"";
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.detail(), Detail::kFileChanged);
    device.client.lose_each_after.reset();
    device.client.body_bytes = 0;
    ASSERT_TRUE(device.download());
    EXPECT_TRUE(device.client.body_bytes <= device.client.file.size() - 20480 + 4096 + 288);
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

TEST(HttpsUpdate, ImageFromTheFutureIsRefusedByASetClock) {
    HttpsBench device;
    const char date[] = "Jan  1 2040";
    const char time[] = "00:00:00";
    std::copy_n(time, sizeof time, device.client.file.begin() + 32 + 80);
    std::copy_n(date, sizeof date, device.client.file.begin() + 32 + 96);
    device.clock.set_wall(kFirstBuild + 30000000);
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.detail(), Detail::kBuildTimeAhead);
    // An unset clock can't say.
    device.clock.set_wall(5);
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.state(), State::kUpdateAvailable);
}

}  // namespace
}  // namespace ota
