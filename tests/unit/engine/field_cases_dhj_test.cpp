// Faults that users of comparable products reported: groups D (signatures, versions), H (media) and
// J (life cycle), as far as they concern the engine; and C18.
#include "engine/https_bench.hpp"
#include "sources/file/file_channel.hpp"
#include "sources/file/file_source.hpp"

namespace ota {
namespace {

TEST(FieldCase, C18_offline_after_the_update_decides_by_itself) {
    UpdateBench device;
    ASSERT_TRUE(device.download());
    (void)device.post(CommandKind::kApply);
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    device.source.failures = UINT32_MAX;  // no network for a day
    device.source.fail_at = 0;
    device.settings.check_interval_ms = 60000;
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    ASSERT_TRUE(device.run_until([&] { return !device.manager().snapshot().trial; }, 300000));
    EXPECT_EQ(device.events.count(Notice::kConfirmed), 1U);
    ASSERT_FALSE(device.run_until([&] { return device.restart_requested(); }, 86400000));
    EXPECT_TRUE(device.running_version() == "1.1.0");
}

TEST(FieldCase, D01_running_image_without_a_signature) {
    Device device;
    device.put_image(0, test::make_image({.version = "1.0.0"}));
    device.source.package = make_signed_of_size("1.1.0", kUpdateImageSize, 2);
    ASSERT_TRUE(device.boot());
    EXPECT_TRUE(device.update_and_settle());
    EXPECT_TRUE(device.running_version() == "1.1.0");
    // No key at all trusts nothing.
    Device keyless;
    keyless.trusted = TrustStore();
    keyless.put_image(0, test::make_image({.version = "1.0.0"}));
    keyless.source.package = device.source.package;
    ASSERT_TRUE(keyless.boot());
    EXPECT_FALSE(keyless.update_and_settle());
    EXPECT_EQ(keyless.state(), State::kFailed);
}

TEST(FieldCase, D03_image_for_another_device_is_refused_before_an_erase) {
    const test::ImageSpec others[] = {
        {.version = "1.1.0", .chip_id = 9},
        {.version = "1.1.0", .min_chip_revision = 301},
        {.version = "1.1.0", .max_chip_revision = 99},
        {.version = "1.1.0", .project = "charger"},
    };
    for (const test::ImageSpec& spec : others) {
        UpdateBench device;
        device.source.package = test::make_signed(spec);
        const uint64_t before = device.flash.operations();
        (void)device.post(CommandKind::kStartUpdate);
        ASSERT_TRUE(device.run_to(State::kFailed));
        EXPECT_TRUE(Status::from_word(device.manager().snapshot().error).is(Code::kIncompatible));
        EXPECT_EQ(device.flash.operations(), before);
        EXPECT_TRUE(device.source.bytes_read <= layout::kImagePrefixSize);
    }
}

TEST(FieldCase, D07_the_version_that_counts_is_the_signed_one) {
    // A name that promises more than the bytes hold.
    UpdateBench named;
    named.source.offered = false;
    test::FakeFileStore store;
    store.files = {{"bess-9.9.9.bin", make_signed_of_size("1.0.0", kUpdateImageSize, 3)}};
    FileChannel channel(store, "/sdcard/bess*.bin");
    FileSource file(store);
    named.extra_source = {&channel, &file};
    ASSERT_TRUE(named.boot());
    (void)named.post(CommandKind::kCheck);
    named.step();
    ASSERT_TRUE(named.run_to(State::kIdle));
    EXPECT_EQ(named.detail(), Detail::kVersionSame);
    // A peer that shows a new version and then delivers an old one, signed long ago.
    HttpsBench device;
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.check());
    device.client.file = make_signed_of_size("0.9.0", kUpdateImageSize, 4);  // under the same tag
    EXPECT_FALSE(device.download());
    ASSERT_TRUE(device.boot());
    EXPECT_TRUE(device.running_version() == "1.0.0");
}

TEST(FieldCase, H08_drive_on_a_device_without_network_and_time) {
    UpdateBench device;
    device.source.offered = false;
    device.clock.set_wall(0);  // 1970
    test::FakeFileStore store;
    store.files = {{"bess-1.1.0.bin", make_signed_of_size("1.1.0", kUpdateImageSize, 3)}};
    FileChannel channel(store, "/usb/bess*.bin");
    FileSource file(store);
    device.extra_source = {&channel, &file, SourceKind::kUsbDrive};
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.update_and_settle());
    EXPECT_TRUE(device.running_version() == "1.1.0");
    // What became of it lies beside the file.
    const std::string result = store.text_of("bess-1.1.0.bin.result.json");
    EXPECT_TRUE(result.find("\"version\":\"1.1.0\",\"outcome\":\"confirmed\"") !=
                std::string::npos);
}

TEST(FieldCase, H08_result_is_written_only_where_that_is_possible) {
    for (const bool writable : {true, false}) {
        UpdateBench device;
        device.source.offered = false;
        test::FakeFileStore store;
        store.writable = writable;
        const test::Buffer bad = test::make_signed({.version = "1.1.0"}, test::Key::kOtherEc);
        store.files = {{"bess-1.1.0.bin", bad}, {"bess-1.0.0.bin", bad}};
        FileChannel channel(store, "/usb/bess*");
        FileSource file(store);
        device.extra_source = {&channel, &file, SourceKind::kUsbDrive};
        ASSERT_TRUE(device.boot());
        (void)device.post(CommandKind::kStartUpdate);
        ASSERT_TRUE(device.run_to(State::kFailed));
        const std::string result = store.text_of("bess-1.1.0.bin.result.json");
        EXPECT_EQ(result.empty(), !writable);
        if (!writable) continue;
        EXPECT_TRUE(result.find("\"outcome\":\"failed\",\"phase\":\"VERIFYING\"") !=
                    std::string::npos);
        EXPECT_EQ(store.files.size(), 3U);
        // A result is no package, whatever the pattern.
        channel.rewind();
        Offer offer;
        size_t offers = 0;
        while (true) {
            const Result<bool> polled = channel.poll(offer);
            if (!polled.ok() || !*polled) break;
            ++offers;
        }
        EXPECT_EQ(offers, 2U);
    }
}

TEST(FieldCase, J04_commands_between_two_rounds_are_all_served) {
    UpdateBench device;
    (void)device.post(CommandKind::kCheck);
    (void)device.post(CommandKind::kAbort);
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_to(State::kAborted));
    ASSERT_TRUE(device.run_to(State::kReadyToApply));
    Status last;
    for (int i = 0; i < 9 && last.ok(); ++i) last = device.post(CommandKind::kCheck);
    EXPECT_TRUE(last.is(Code::kNoSpace));  // said, not dropped
}

TEST(FieldCase, J09_network_that_comes_after_the_boot) {
    HttpsBench device;
    device.settings.check_interval_ms = 86400000;
    device.settings.automatic_update = true;
    test::HttpAnswer down;
    down.failure = {Code::kUnavailable, Origin::kSource, Detail::kDnsFailed};
    device.client.script.assign(1000, down);
    ASSERT_TRUE(device.boot());
    ASSERT_FALSE(device.run_until([] { return false; }, 90000));
    device.client.script.clear();
    const Millis back = device.clock.now();
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    EXPECT_TRUE(device.clock.now() - back < 180000);  // minutes, not a day
}

// Whatever happens, each beginning has one end.
TEST(FieldCase, J10_every_start_ends_exactly_once) {
    for (uint32_t seed = 1; seed <= 60; ++seed) {
        UpdateBench device;
        device.source.chunk = 1000;
        device.source.fail_at = 1000 * (seed % 33);
        device.source.failures = seed % 4 == 0 ? 1000 : seed % 3;
        if (seed % 5 == 1) device.flash.fail_operations(seed * 2, 1);
        if (seed % 7 == 2) device.source.truncate_at = seed * 500;
        if (seed % 11 == 3) device.source.package[seed * 300] ^= 1;
        (void)device.post(CommandKind::kStartUpdate);
        device.step();
        const auto rests = [&] {
            const State now = device.state();
            return now == State::kIdle || now == State::kFailed || now == State::kAborted ||
                   now == State::kReadyToApply || device.restart_requested();
        };
        if (seed % 6 == 4) {
            (void)device.run_until(
                [&] { return device.source.bytes_read > seed * 400 || rests(); });
            (void)device.post(CommandKind::kAbort);
            device.step();
        }
        ASSERT_TRUE(device.run_until(rests, 3600000)) << seed;
        if (device.state() == State::kReadyToApply) {
            (void)device.post(CommandKind::kApply);
            ASSERT_TRUE(device.run_until([&] { return device.restart_requested() || rests(); }));
        }
        (void)device.run_until([&] { return device.restart_requested(); }, 1000);
        size_t starts = 0;
        size_t ends = 0;
        for (const State state : device.signal.entries) {
            starts += state == State::kDownloading ? 1 : 0;
            ends += state == State::kComplete || state == State::kFailed || state == State::kAborted
                        ? 1
                        : 0;
        }
        EXPECT_TRUE(ends == 1 && starts <= 1) << seed << ": " << starts << " " << ends;
    }
}

}  // namespace
}  // namespace ota
