// Packages that a peer pushes: the window between link and engine, and updates through it.
#include "engine/components_bench.hpp"
#include "engine/suit_bench.hpp"
#include "sources/push_source.hpp"

namespace ota {
namespace {

using Taken = PushWindow::Taken;

PushOffer offer_of(const Buffer& package) {
    PushOffer out;
    out.size = static_cast<uint32_t>(package.size());
    const Buffer hash = test::sha256(package);
    std::copy(hash.begin(), hash.end(), out.digest.begin());
    return out;
}

Buffer bytes_of(size_t size) {
    Buffer out(size);
    for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(i * 7 + i / 256);
    return out;
}

struct Window : PushWindow {
    explicit Window(const Buffer& bytes) : package(bytes) {
        EXPECT_TRUE(open(offer_of(package)));
        PushOffer offer;
        EXPECT_TRUE(take(offer));
    }
    Taken put(uint32_t offset, size_t size) {
        return write(offset, Bytes(package).subspan(offset, size));
    }
    Buffer get(size_t size, bool keep = false) {
        Buffer out(size);
        out.resize(read(out, keep));
        return out;
    }
    Buffer part(size_t from, size_t size) const {
        return {package.begin() + static_cast<long>(from),
                package.begin() + static_cast<long>(from + size)};
    }
    Buffer package;
};

TEST(PushWindow, TakesWhatComesNextAndNothingElse) {
    Window window(bytes_of(20000));
    EXPECT_EQ(window.put(0, 240), Taken::kWhole);
    EXPECT_EQ(window.put(0, 240), Taken::kDuplicate);  // the answer was lost
    EXPECT_EQ(window.put(480, 240), Taken::kGap);
    EXPECT_EQ(window.put(120, 240), Taken::kWhole);  // its new end alone
    EXPECT_EQ(window.next_offset(), 360U);
    EXPECT_EQ(window.put(19999, 1), Taken::kGap);
    EXPECT_EQ(window.write(19999, Bytes(window.package).first(2)), Taken::kBeyond);
    EXPECT_EQ(window.write(20001, Bytes(window.package).first(0)), Taken::kBeyond);
    EXPECT_EQ(window.write(UINT32_MAX, Bytes(window.package).first(8)), Taken::kBeyond);
    EXPECT_TRUE(window.get(1000) == window.part(0, 360));
    EXPECT_TRUE(window.get(1000).empty());
}

TEST(PushWindow, OneBlockMoreThanThereIsRoomComesLater) {
    Window window(bytes_of(30000));
    uint32_t at = 0;
    while (window.put(at, 240) == Taken::kWhole) at += 240;
    EXPECT_EQ(at, PushWindow::kCapacity / 240 * 240);
    EXPECT_EQ(window.put(at, 240), Taken::kFull);
    EXPECT_TRUE(window.get(240) == window.part(0, 240));
    EXPECT_EQ(window.put(at, 240), Taken::kWhole);
    EXPECT_EQ(window.put(at, 240), Taken::kDuplicate);
}

TEST(PushWindow, WhatWasLookedAtIsReadAgain) {
    Window window(bytes_of(30000));
    EXPECT_EQ(window.put(0, 4000), Taken::kWhole);
    EXPECT_TRUE(window.get(288, true) == window.part(0, 288));
    window.seek(0);
    EXPECT_EQ(window.next_offset(), 4000U);  // nothing has to come again
    EXPECT_TRUE(window.get(4000) == window.part(0, 4000));
    // What was let go has to.
    window.seek(1000);
    EXPECT_EQ(window.next_offset(), 1000U);
    EXPECT_TRUE(window.get(1000).empty());
    EXPECT_EQ(window.put(4000, 240), Taken::kGap);
    EXPECT_EQ(window.put(1000, 240), Taken::kWhole);
    EXPECT_TRUE(window.get(1000) == window.part(1000, 240));
    // Ahead of what is there.
    window.seek(20000);
    EXPECT_TRUE(window.get(1000).empty());
    EXPECT_EQ(window.put(1240, 240), Taken::kDuplicate);
    EXPECT_EQ(window.next_offset(), 20000U);
    EXPECT_EQ(window.put(20000, 240), Taken::kWhole);
    EXPECT_TRUE(window.get(1000) == window.part(20000, 240));
}

TEST(PushWindow, IsOpenOnceAndTakenOnce) {
    PushWindow window;
    const Buffer package = bytes_of(1000);
    PushOffer offer;
    EXPECT_FALSE(window.take(offer));
    EXPECT_EQ(window.write(0, package), Taken::kClosed);
    EXPECT_TRUE(window.open(offer_of(package)));
    EXPECT_FALSE(window.open(offer_of(package)));
    EXPECT_EQ(window.write(0, package), Taken::kFull);  // until the engine looks at it
    EXPECT_TRUE(window.take(offer));
    EXPECT_FALSE(window.take(offer));
    EXPECT_EQ(window.write(0, package), Taken::kWhole);
    window.close();
    EXPECT_TRUE(window.open(offer_of(package)));
    EXPECT_EQ(window.next_offset(), 0U);
    EXPECT_TRUE(window.take(offer));
    EXPECT_EQ(window.write(0, Bytes(package).first(10)), Taken::kWhole);
    Buffer out(10);
    EXPECT_EQ(window.read(out, false), 10U);
}

// ---------------------------------------------------------------- updates

// A peer that follows next_offset(), in blocks of a Modbus window.
struct PushBench : ComponentsBench {
    PushBench() {
        extra_source = {&pair.channel, &pair.source, SourceKind::kModbus};
        source.package.clear();
        EXPECT_TRUE(boot());
    }
    void push(const Buffer& package) {
        offered = package;
        EXPECT_TRUE(pair.window.open(offer_of(package)));
        Command command;
        command.kind = CommandKind::kPush;
        command.source = SourceKind::kModbus;
        EXPECT_TRUE(mailbox.post(command).ok());
    }
    void send_block() {
        const uint32_t at = pair.window.next_offset();
        const size_t size = std::min<size_t>(block, offered.size() - at);
        if (!answers || size == 0) return;
        if (pair.window.write(at, Bytes(offered).subspan(at, size)) == Taken::kWhole) sent += size;
    }
    void send_until(size_t bytes) {
        (void)run_until([&] {
            send_block();
            return sent > bytes;
        });
    }
    // The end of the update, with READY_TO_APPLY for a good one.
    Detail follow(Millis limit = 3600000) {
        const Millis end = clock.now() + limit;
        while (clock.now() < end && !flash.is_off()) {
            send_block();
            step();
            const State now = state();
            const bool rests =
                now == State::kIdle || now == State::kFailed || now == State::kAborted;
            if (now == State::kReadyToApply) return Detail::kNone;
            if (mailbox.queue.empty() && rests) break;
        }
        return last_detail();
    }
    PushPair pair;
    Buffer offered;
    size_t block = 240;
    size_t sent = 0;
    bool answers = true;
};

TEST(PushUpdate, RawImageAndSuitPackageAreTakenInTheirOrder) {
    for (const bool is_suit : {false, true}) {
        PushBench device;
        const Buffer package =
            is_suit
                ? test::make_package(test::app_and_config(image_of("1.1.0"), filled(300, 1), 100))
                : test::make_signed_of_size("1.1.0", 32 * 1024, 3);
        device.push(package);
        ASSERT_EQ(device.follow(), Detail::kNone);
        EXPECT_EQ(device.sent, package.size());  // nothing came twice
        (void)device.apply();
        ASSERT_TRUE(device.restart_and_settle());
        EXPECT_TRUE(device.running_version() == "1.1.0");
        EXPECT_EQ(device.manager().snapshot().attempt.source, SourceKind::kModbus);
    }
}

TEST(PushUpdate, NothingIsTakenThatNobodyOpened) {
    PushBench device;
    device.source.package = test::make_signed_of_size("1.1.0", 32 * 1024, 3);
    // An ordinary check does not ask the peer.
    EXPECT_TRUE(device.pair.window.open(offer_of(device.source.package)));
    (void)device.post(CommandKind::kCheck);
    EXPECT_TRUE(device.run_to(State::kUpdateAvailable));
    EXPECT_FALSE(device.pair.window.is_taken());
    // And a push not the server.
    PushBench other;
    other.source.package = test::make_signed_of_size("1.3.0", 32 * 1024, 3);
    other.push(test::make_signed_of_size("1.1.0", 32 * 1024, 3));
    ASSERT_EQ(other.follow(), Detail::kNone);
    (void)other.apply();
    ASSERT_TRUE(other.restart_and_settle());
    EXPECT_TRUE(other.running_version() == "1.1.0");
}

TEST(PushUpdate, IsRefusedWhereAnUpdateIsInHand) {
    PushBench device;
    device.push(test::make_signed_of_size("1.1.0", 32 * 1024, 3));
    ASSERT_EQ(device.follow(), Detail::kNone);
    Command command;
    command.kind = CommandKind::kPush;
    EXPECT_FALSE(device.manager().would_accept(CommandKind::kPush));
    EXPECT_TRUE(device.mailbox.post(command).ok());
    (void)device.run_until([&] { return device.mailbox.queue.empty(); });
    EXPECT_EQ(device.state(), State::kReadyToApply);
}

TEST(PushUpdate, GoesOnBehindWhatFlashHoldsAfterAReset) {
    PushBench device;
    const Buffer package = test::make_signed_of_size("1.1.0", 64 * 1024, 3);
    device.push(package);
    device.send_until(40000);
    device.pair.window.close();
    ASSERT_TRUE(device.boot(ResetReason::kPowerOn));
    device.sent = 0;
    device.push(package);
    ASSERT_EQ(device.follow(), Detail::kNone);
    EXPECT_LT(device.sent, 64 * 1024U - 30000U);
    (void)device.apply();
    ASSERT_TRUE(device.restart_and_settle());
    EXPECT_TRUE(device.running_version() == "1.1.0");
}

TEST(PushUpdate, PeerThatFallsSilentEndsTheAttemptAndItsBytesStay) {
    PushBench device;
    const Buffer package = test::make_signed_of_size("1.1.0", 64 * 1024, 3);
    device.push(package);
    device.send_until(40000);
    device.answers = false;
    EXPECT_EQ(device.follow(), Detail::kStalled);
    EXPECT_EQ(device.state(), State::kFailed);
    device.pair.window.close();
    device.answers = true;
    device.sent = 0;
    device.push(package);
    ASSERT_EQ(device.follow(), Detail::kNone);
    EXPECT_LT(device.sent, 64 * 1024U - 30000U);
}

TEST(PushUpdate, DigestOfTheOfferHasToHold) {
    PushBench device;
    Buffer package = test::make_signed_of_size("1.1.0", 32 * 1024, 3);
    device.push(package);
    device.offered[20000] ^= 1;
    EXPECT_NE(device.follow(), Detail::kNone);
    EXPECT_EQ(device.state(), State::kFailed);
    ASSERT_TRUE(device.boot());
    EXPECT_TRUE(device.running_version() == "1.0.0");
}

TEST(PushUpdate, RedBatteryRefusesAndPauses) {
    PushBench device;
    const Buffer package = test::make_signed_of_size("1.1.0", 64 * 1024, 3);
    device.battery.values.soc_percent = 10;
    device.push(package);
    EXPECT_EQ(device.follow(), Detail::kSocLow);
    device.pair.window.close();
    device.battery.values.soc_percent = 80;
    device.push(package);
    device.send_until(20000);
    device.battery.values.soc_percent = 10;
    (void)device.run_until([&] { return device.manager().snapshot().paused; });
    const size_t before = device.sent;
    (void)device.run_until(
        [&] {
            device.send_block();
            return false;
        },
        20000);
    EXPECT_LE(device.sent, before + PushWindow::kCapacity);  // the window is what still fits
    device.battery.values.soc_percent = 80;
    EXPECT_EQ(device.follow(), Detail::kNone);
}

}  // namespace
}  // namespace ota
