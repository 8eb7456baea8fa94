// The TWAI adapter over a model of the node driver.
#include "esp_idf/esp_twai.hpp"

#include "contracts/can_bus.hpp"
#include "linux/clock_virtual.hpp"
#include "twai_model.hpp"

namespace ota {
namespace {

using idf_model::twai;

const CanConfig kBus{.interface = "twai:4,5", .bitrate = 500000};

struct Twai : testing::Test {
    Twai() { twai = {}; }
    ~Twai() override { EXPECT_EQ(twai.nodes, 0U); }
    VirtualClock clock;
};

TEST_F(Twai, Contract) {
    EspTwai one(clock);
    EspTwai other(clock);
    contract::check_can_bus(one, other, kBus);
}

TEST_F(Twai, PinsAndRateOfTheConfiguration) {
    EspTwai bus(clock);
    ASSERT_TRUE(bus.open(kBus).ok());
    EXPECT_EQ(twai.tx, 4);
    EXPECT_EQ(twai.rx, 5);
    EXPECT_EQ(twai.bitrate, 500000U);
    EXPECT_TRUE(bus.is_open());
    ASSERT_TRUE(bus.open({.interface = "twai:54,0", .bitrate = 1000000}).ok());
    EXPECT_EQ(twai.tx, 54);
    for (const char* name : {"can0", "twai", "twai:", "twai:4", "twai:4,", "twai:,5", "twai:4,4",
                             "twai:4,55", "twai:99999999999,5", "twai:-1,5", "twai:4,5,6"}) {
        const Status refused = bus.open({.interface = name, .bitrate = 500000});
        EXPECT_TRUE(refused.is(Code::kUnavailable)) << name;
        EXPECT_EQ(refused.detail(), Detail::kCanInterface);
        EXPECT_FALSE(bus.is_open());
    }
    EXPECT_TRUE(bus.open({.interface = "twai:4,5", .bitrate = 2000000}).is(Code::kOutOfRange));
    EXPECT_TRUE(bus.open({.interface = "twai:4,5", .is_fd = true}).is(Code::kOutOfRange));
}

TEST_F(Twai, RemoteFrames) {
    EspTwai one(clock);
    EspTwai other(clock);
    ASSERT_TRUE(one.open(kBus).ok());
    ASSERT_TRUE(other.open(kBus).ok());
    CanFrame frame = contract::can_frame(0x123, false, 0);
    frame.is_remote = true;
    contract::check_frame(one, other, frame);
}

// Flash is being erased: nobody takes anything.
TEST_F(Twai, WhatDoesNotFitIsLostAndTheRestInOrder) {
    EspTwai one(clock);
    EspTwai other(clock);
    ASSERT_TRUE(one.open(kBus).ok());
    ASSERT_TRUE(other.open(kBus).ok());
    for (uint32_t i = 0; i < EspTwai::kFrames + 44; ++i) {
        ASSERT_TRUE(one.send(contract::can_frame(i, true, 8)).ok());
    }
    CanFrame came;
    for (uint32_t i = 0; i < EspTwai::kFrames; ++i) {
        ASSERT_TRUE(*other.receive(came)) << i;
        EXPECT_EQ(came.id, i);
    }
    EXPECT_FALSE(*other.receive(came));
    contract::check_frame(one, other, contract::can_frame(7, true, 8));
}

// Nobody else is there to acknowledge: the frame stays with the controller, and what waits behind
// it goes out with the right bytes when somebody comes.
TEST_F(Twai, FramesThatNobodyAcknowledges) {
    EspTwai one(clock);
    EspTwai other(clock);
    ASSERT_TRUE(one.open(kBus).ok());
    twai.is_acknowledged = false;
    ASSERT_TRUE(one.send(contract::can_frame(1, true, 8)).ok());
    EXPECT_TRUE(one.sending() == CanBus::Sending::kUnderWay);
    ASSERT_TRUE(one.send(contract::can_frame(2, true, 8)).ok());
    EXPECT_TRUE(one.send(contract::can_frame(3, true, 8)).is(Code::kUnavailable));
    EXPECT_TRUE(one.sending() == CanBus::Sending::kFailed);
    ASSERT_TRUE(other.open(kBus).ok());
    twai.acknowledge();
    EXPECT_TRUE(one.sending() == CanBus::Sending::kFailed);  // of the third, which never went
    CanFrame came;
    for (const uint32_t id : {1U, 2U}) {
        ASSERT_TRUE(*other.receive(came));
        EXPECT_EQ(came.id, id);
        const CanFrame sent = contract::can_frame(id, true, 8);
        EXPECT_TRUE(came.data == sent.data);
    }
    EXPECT_FALSE(*other.receive(came));
}

// espressif/esp-idf#18643, Battery-Emulator PR 2813: the driver says nothing about the frame that
// was under way, and a broken bus does not end the attempts.
TEST_F(Twai, BusOffIsNoticedAndEnded) {
    EspTwai one(clock);
    EspTwai other(clock);
    ASSERT_TRUE(one.open(kBus).ok());
    ASSERT_TRUE(other.open(kBus).ok());
    CanFrame none;
    for (size_t time = 0; time < 5; ++time) {
        twai.is_acknowledged = false;
        ASSERT_TRUE(one.send(contract::can_frame(1, true, 8)).ok());
        twai.set_state(TWAI_ERROR_BUS_OFF);
        EXPECT_TRUE(one.sending() == CanBus::Sending::kFailed);
        EXPECT_TRUE(one.send(contract::can_frame(2, true, 8)).is(Code::kUnavailable));
        EXPECT_FALSE(*other.receive(none));
        EXPECT_EQ(twai.recoveries, 2 * time);  // not at once
        clock.advance(EspTwai::kRecoveryPause);
        for (int i = 0; i < 3; ++i) {
            EXPECT_FALSE(*one.receive(none));
            EXPECT_FALSE(*other.receive(none));
        }
        EXPECT_EQ(twai.recoveries, 2 * time + 2);
        twai.set_state(TWAI_ERROR_ACTIVE);
        twai.is_acknowledged = true;
        contract::check_frame(one, other, contract::can_frame(3, true, 8));
        EXPECT_FALSE(*other.receive(none));
    }
}

// Between two looks of the task, as when a transfer goes on at once on a bus that is broken still.
TEST_F(Twai, BackAndOffAgainIsNoticed) {
    EspTwai bus(clock);
    ASSERT_TRUE(bus.open(kBus).ok());
    twai.set_state(TWAI_ERROR_BUS_OFF);
    CanFrame none;
    for (size_t i = 1; i <= 3; ++i) {
        (void)bus.receive(none);
        clock.advance(EspTwai::kRecoveryPause);
        (void)bus.receive(none);
        EXPECT_EQ(twai.recoveries, i);
        twai.set_state(TWAI_ERROR_ACTIVE);
        twai.set_state(TWAI_ERROR_BUS_OFF);
    }
}

// Its end comes late, and is not taken for that of the next one.
TEST_F(Twai, EndOfAFrameThatWasGivenUp) {
    EspTwai one(clock);
    EspTwai other(clock);
    ASSERT_TRUE(one.open(kBus).ok());
    ASSERT_TRUE(other.open(kBus).ok());
    twai.is_acknowledged = false;
    ASSERT_TRUE(one.send(contract::can_frame(1, true, 8)).ok());
    ASSERT_TRUE(one.send(contract::can_frame(2, true, 8)).ok());
    twai.acknowledge_one();
    EXPECT_TRUE(one.sending() == CanBus::Sending::kUnderWay);
    twai.acknowledge();
    EXPECT_TRUE(one.sending() == CanBus::Sending::kSent);
}

// What is not deleted would go on to call an object that is gone.
TEST_F(Twai, ClosedWhileItComesBack) {
    EspTwai bus(clock);
    ASSERT_TRUE(bus.open(kBus).ok());
    twai.set_state(TWAI_ERROR_BUS_OFF);
    CanFrame none;
    (void)bus.receive(none);
    clock.advance(EspTwai::kRecoveryPause);
    (void)bus.receive(none);
    EXPECT_EQ(twai.recoveries, 1U);
    twai.returns_meanwhile = true;
    bus.close();
    EXPECT_EQ(twai.nodes, 0U);
}

// It has to let go of the controller also then.
TEST_F(Twai, ClosedWhileOffTheBus) {
    EspTwai bus(clock);
    ASSERT_TRUE(bus.open(kBus).ok());
    twai.set_state(TWAI_ERROR_BUS_OFF);
    bus.close();
    EXPECT_EQ(twai.nodes, 0U);
}

}  // namespace
}  // namespace ota
