// What a device remembers of an HTTPS server: tags, refusals, the time of day.
#include "engine/https_bench.hpp"

namespace ota {
namespace {

using test::http_answer;
using test::HttpAnswer;

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
    // It was the device's clock that was late: mended, the same package is looked at anew.
    device.clock.set_wall(kFirstBuild + 500000000);
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.state(), State::kUpdateAvailable);
    // An unset clock can't say.
    device.clock.set_wall(5);
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.check());
    EXPECT_EQ(device.state(), State::kUpdateAvailable);
}

}  // namespace
}  // namespace ota
