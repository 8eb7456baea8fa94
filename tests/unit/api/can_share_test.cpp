// One CAN bus for several: who gets which frame, who sends next, and how much.
#include "api/can_share.hpp"

#include "support/can_wire.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

constexpr uint32_t kServerId = 0x1CDA10F1;
constexpr uint32_t kBoardId = 0x1CDA1021;

CanFrame frame_of(uint32_t id, uint8_t size = 8) {
    CanFrame out;
    out.id = id;
    out.is_29_bit = id > 0x7FF;
    out.size = size;
    return out;
}

struct Shared {
    Shared() {
        (void)share.open({});
        listen(CanShare::kServer, kServerId);
        listen(CanShare::kBoards, kBoardId);
    }
    void listen(CanShare::Place place, uint32_t id) {
        const std::array<uint32_t, 1> wanted{id};
        CanConfig frames;
        frames.identifiers = wanted;
        (void)share.face(place).open(frames);
    }
    // Whoever may send does, as fast as it can; others take so many percent. The share of the bus
    // that the boards' side had.
    double bulk_share(uint8_t others, Micros time = 3000000) {
        CanBus& bulk = share.face(CanShare::kBoards);
        const Micros end = clock.micros() + time;
        const Micros step = 10;
        Micros next_other = clock.micros();
        uint64_t bulk_time = 0;
        wire.loses = [&](const CanFrame& frame) {
            if (frame.id == kBoardId) bulk_time += wire.micros_of(frame);
            return false;
        };
        const CanFrame other = frame_of(0x300);
        while (clock.micros() < end) {
            (void)bulk.send(frame_of(kBoardId));
            if (others != 0 && clock.micros() >= next_other) {
                (void)stranger.send(other);
                next_other += wire.micros_of(other) * 100 / others;
            }
            CanFrame taken;
            (void)share.face(CanShare::kServer).receive(taken);
            (void)share.poll();
            wire.run();
            clock.advance_micros(step);
        }
        return 100.0 * static_cast<double>(bulk_time) / static_cast<double>(time);
    }

    VirtualClock clock;
    test::CanWire wire{clock, 500000};
    test::CanNode own{wire};
    test::CanNode stranger{wire};
    CanShare share{own, clock};
};

TEST(CanShare, EachGetsItsFramesInOrder) {
    Shared bus;
    for (const uint32_t id : {kBoardId, uint32_t{0x123}, kServerId, kBoardId}) {
        bus.own.incoming.push_back(frame_of(id));
    }
    CanFrame out;
    // The first is for another one: it waits until that one asks.
    EXPECT_FALSE(*bus.share.face(CanShare::kServer).receive(out));
    EXPECT_TRUE(*bus.share.face(CanShare::kBoards).receive(out));
    EXPECT_FALSE(*bus.share.face(CanShare::kBoards).receive(out));
    EXPECT_TRUE(*bus.share.face(CanShare::kServer).receive(out));
    EXPECT_EQ(out.id, kServerId);
    EXPECT_TRUE(*bus.share.face(CanShare::kBoards).receive(out));
    EXPECT_FALSE(*bus.share.face(CanShare::kServer).receive(out));
}

TEST(CanShare, FrameForOneWhoHasGoneHoldsUpNobody) {
    Shared bus;
    bus.own.incoming.push_back(frame_of(kBoardId));
    bus.own.incoming.push_back(frame_of(kServerId));
    CanFrame out;
    EXPECT_FALSE(*bus.share.face(CanShare::kServer).receive(out));
    bus.share.face(CanShare::kBoards).close();
    EXPECT_TRUE(*bus.share.face(CanShare::kServer).receive(out));
}

TEST(CanShare, OneFrameIsWithTheDriverAndTheMostUrgentIsNext) {
    Shared bus;
    CanBus& bulk = bus.share.face(CanShare::kBoards);
    CanBus& next = bus.share.face(CanShare::kNextBoard);
    CanBus& server = bus.share.face(CanShare::kServer);
    ASSERT_TRUE(bulk.send(frame_of(0x1CDA2110)).ok());
    EXPECT_EQ(bus.own.outgoing->id, 0x1CDA2110U);
    EXPECT_TRUE(bulk.send(frame_of(0x1CDA2110)).is(Code::kBusy));
    ASSERT_TRUE(next.send(frame_of(0x1CDA2210)).ok());
    ASSERT_TRUE(server.send(frame_of(0x18DAF110)).ok());
    EXPECT_EQ(bus.own.outgoing->id, 0x1CDA2110U);
    bus.own.outgoing.reset();
    bus.own.state = CanBus::Sending::kSent;
    (void)bus.share.poll();
    EXPECT_EQ(bulk.sending(), CanBus::Sending::kSent);
    EXPECT_EQ(server.sending(), CanBus::Sending::kUnderWay);
    EXPECT_EQ(bus.own.outgoing->id, 0x18DAF110U);
}

TEST(CanShare, DriverThatRefusesAFrameIsTold) {
    Shared bus;
    bus.own.outgoing = frame_of(0x1);  // its mailbox is full
    CanBus& server = bus.share.face(CanShare::kServer);
    ASSERT_TRUE(server.send(frame_of(kServerId)).ok());
    EXPECT_EQ(server.sending(), CanBus::Sending::kFailed);
}

// A driver that was shut down with a frame in hand says nothing about it, ever.
TEST(CanShare, FrameThatTheDriverLostIsGivenUpAfterASecond) {
    Shared bus;
    CanBus& bulk = bus.share.face(CanShare::kBoards);
    CanBus& server = bus.share.face(CanShare::kServer);
    ASSERT_TRUE(bulk.send(frame_of(0x1CDA2110)).ok());
    ASSERT_TRUE(server.send(frame_of(0x1CDAF110)).ok());
    bus.clock.advance(900);
    (void)bus.share.poll();
    EXPECT_EQ(bulk.sending(), CanBus::Sending::kUnderWay);
    bus.clock.advance(101);
    bus.own.outgoing.reset();
    (void)bus.share.poll();
    EXPECT_EQ(bulk.sending(), CanBus::Sending::kFailed);
    EXPECT_EQ(bus.own.outgoing->id, 0x1CDAF110U);
}

TEST(CanShare, WhatBecameOfAFrameIsKnownAtOnce) {
    Shared bus;
    CanBus& server = bus.share.face(CanShare::kServer);
    ASSERT_TRUE(server.send(frame_of(0x1CDAF110)).ok());
    bus.own.outgoing.reset();
    bus.own.state = CanBus::Sending::kSent;
    EXPECT_EQ(server.sending(), CanBus::Sending::kSent);  // without a poll in between
}

TEST(CanShare, SmallSharesAreKeptToo) {
    Shared bus;
    bus.share.limit({2, 70});
    EXPECT_NEAR(bus.bulk_share(0), 2, 0.5);
}

TEST(CanShare, BulkTakesItsShareAndLeavesTheRest) {
    Shared bus;
    EXPECT_NEAR(bus.bulk_share(0), 30, 1.5);
    bus.share.limit({80, 90});
    EXPECT_NEAR(bus.bulk_share(0), 80, 4);
}

TEST(CanShare, BulkGivesWayToTheFramesOfOthers) {
    Shared bus;
    (void)bus.bulk_share(50, 200000);  // until the load is known
    EXPECT_NEAR(bus.bulk_share(50), 20, 3);
    (void)bus.bulk_share(75, 200000);
    EXPECT_LE(bus.bulk_share(75), 1);
    EXPECT_GE(bus.share.load(), 70);
}

TEST(CanShare, ServersAnswersAreNotPaced) {
    Shared bus;
    bus.share.limit({1, 1});
    CanBus& server = bus.share.face(CanShare::kServer);
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(server.send(frame_of(0x1CDAF110)).ok());
        bus.wire.run();
        bus.clock.advance_micros(300);
        bus.wire.run();
        (void)bus.share.poll();
        EXPECT_EQ(server.sending(), CanBus::Sending::kSent);
    }
}

}  // namespace
}  // namespace ota
