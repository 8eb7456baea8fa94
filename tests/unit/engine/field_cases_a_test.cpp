// Faults that users of comparable products reported: group A, HTTPS downloads through the engine.
#include "engine/https_bench.hpp"

namespace ota {
namespace {

using test::http_answer;
using test::HttpAnswer;

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

}  // namespace
}  // namespace ota
