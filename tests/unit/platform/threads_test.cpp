// What the engine's thread shares with others; the part that the tsan build is for.
#include "linux/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "engine/snapshot.hpp"
#include "sources/push_window.hpp"

namespace ota {
namespace {

TEST(Threads, MailboxRefusesTheNinthCommandAndLosesNone) {
    ThreadMailbox mailbox;
    Command command;
    for (int i = 0; i < 8; ++i) {
        command.thresholds.min_soc_percent = i;
        ASSERT_TRUE(mailbox.post(command).ok());
    }
    EXPECT_TRUE(mailbox.post(command).is(Code::kNoSpace));
    for (int i = 0; i < 8; ++i) {
        ASSERT_TRUE(*mailbox.take(command, 0));
        EXPECT_EQ(command.thresholds.min_soc_percent, i);
    }
    EXPECT_FALSE(*mailbox.take(command, 1));
}

TEST(Threads, TwoPostersOneTaker) {
    ThreadMailbox mailbox;
    std::atomic<int> posted{0};
    const auto poster = [&] {
        for (int i = 0; i < 500;) {
            if (!mailbox.post(Command()).ok()) {
                std::this_thread::yield();
                continue;
            }
            ++posted;
            ++i;
        }
    };
    std::thread a(poster);
    std::thread b(poster);
    int taken = 0;
    Command command;
    while (taken < 1000) {
        if (*mailbox.take(command, 1000)) ++taken;
    }
    a.join();
    b.join();
    EXPECT_EQ(posted, 1000);
}

TEST(Threads, SignalDoesNotMissAShortState) {
    using Outcome = StatusSignal::Outcome;
    ThreadStatusSignal signal;
    std::atomic<bool> seen{false};
    std::thread other([&] {
        while (!seen) {
            signal.entered(State::kComplete);
            signal.entered(State::kRebooting);
            std::this_thread::yield();
        }
    });
    State hit = State::kIdle;
    EXPECT_EQ(signal.wait(1U << static_cast<unsigned>(State::kComplete), 10000, hit),
              Outcome::kHit);
    EXPECT_EQ(hit, State::kComplete);
    seen = true;
    other.join();
    EXPECT_EQ(signal.wait(1U << static_cast<unsigned>(State::kRebooting), 0, hit), Outcome::kHit);
    EXPECT_EQ(signal.wait(1U << static_cast<unsigned>(State::kFailed), 10, hit), Outcome::kTimeout);
}

TEST(Threads, WaitersAreSentAway) {
    ThreadStatusSignal signal;
    std::atomic<bool> back{false};
    std::thread waiter([&] {
        State hit = State::kIdle;
        EXPECT_EQ(signal.wait(1U << static_cast<unsigned>(State::kFailed), 60000, hit),
                  StatusSignal::Outcome::kCancelled);
        back = true;
    });
    while (!back) {
        signal.cancel();
        std::this_thread::yield();
    }
    waiter.join();
}

TEST(Threads, SnapshotIsNeverHalf) {
    struct Pair {
        uint64_t a = 0;
        uint64_t b = 0;
        std::array<uint32_t, 30> filler{};
    };
    Snapshot<Pair> snapshot;
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        Pair pair;
        for (uint64_t i = 1; !stop; ++i) {
            pair.a = i;
            pair.b = ~i;
            pair.filler.fill(static_cast<uint32_t>(i));
            snapshot.publish(pair);
        }
    });
    while (snapshot.read().a == 0) std::this_thread::yield();
    for (int i = 0; i < 20000; ++i) {
        const Pair pair = snapshot.read();
        ASSERT_EQ(pair.a, ~pair.b);
        ASSERT_EQ(pair.filler[29], static_cast<uint32_t>(pair.a));
    }
    stop = true;
    writer.join();
}

// The link writes while the engine reads, looks back and jumps: what is read is what was sent.
TEST(Threads, PushWindowKeepsItsBytesInOrder) {
    PushWindow window;
    PushOffer offer;
    offer.size = 300000;
    const auto byte_at = [](uint32_t at) { return static_cast<uint8_t>(at * 31 + at / 256); };
    ASSERT_TRUE(window.open(offer));
    std::atomic<bool> over{false};
    std::thread link([&] {
        std::array<uint8_t, 240> block;
        while (!over) {
            const uint32_t at = window.next_offset();
            const uint32_t n = std::min<uint32_t>(block.size(), offer.size - at);
            for (uint32_t i = 0; i < n; ++i) block[i] = byte_at(at + i);
            (void)window.write(at, Bytes(block).first(n));
        }
    });
    PushOffer taken;
    ASSERT_TRUE(window.take(taken));
    std::array<uint8_t, 500> out;
    uint32_t wrong = 0;
    const auto read_to = [&](uint32_t end, bool keep) {
        while (window.position() < end) {
            const uint32_t at = window.position();
            const size_t room = std::min<size_t>(out.size(), end - at);
            const size_t n = window.read(MutableBytes(out).first(room), keep);
            for (size_t i = 0; i < n; ++i) {
                wrong += out[i] != byte_at(at + static_cast<uint32_t>(i)) ? 1 : 0;
            }
        }
    };
    read_to(6000, true);
    window.seek(0);
    read_to(120000, false);
    window.seek(60000);
    read_to(150000, false);
    window.seek(250000);
    read_to(offer.size, false);
    over = true;
    link.join();
    EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace ota
