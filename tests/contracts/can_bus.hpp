// What every CanBus has to do: two of them on one bus, with nobody else.
#pragma once

#include <unistd.h>

#include "ports/can_bus.hpp"
#include "support/test.hpp"

namespace ota::contract {

inline CanFrame can_frame(uint32_t id, bool is_29_bit, size_t size) {
    CanFrame out;
    out.id = id;
    out.is_29_bit = is_29_bit;
    out.size = static_cast<uint8_t>(size);
    for (size_t i = 0; i < size; ++i) out.data[i] = static_cast<uint8_t>(0x30 + i + id);
    return out;
}

// Within a second.
inline bool await_frame(CanBus& bus, CanFrame& out) {
    for (int i = 0; i < 1000; ++i) {
        const Result<bool> came = bus.receive(out);
        if (!came.ok()) return false;
        if (*came) return true;
        usleep(1000);
    }
    return false;
}

// Frames of its own are not heard, but some adapters learn by them that they are out.
inline CanBus::Sending await_sent(CanBus& bus) {
    CanFrame none;
    for (int i = 0; i < 1000; ++i) {
        EXPECT_FALSE(*bus.receive(none));
        if (bus.sending() != CanBus::Sending::kUnderWay) break;
        usleep(1000);
    }
    return bus.sending();
}

inline void check_frame(CanBus& from, CanBus& to, const CanFrame& frame) {
    ASSERT_TRUE(from.send(frame).ok());
    EXPECT_TRUE(await_sent(from) == CanBus::Sending::kSent);
    CanFrame came;
    ASSERT_TRUE(await_frame(to, came)) << frame.id;
    EXPECT_EQ(came.id, frame.id);
    EXPECT_EQ(came.is_29_bit, frame.is_29_bit);
    EXPECT_EQ(came.is_remote, frame.is_remote);
    EXPECT_EQ(came.size, frame.size);
    const Bytes bytes = came.bytes();
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), frame.bytes().begin()));
}

// config: of either; classic frames.
inline void check_can_bus(CanBus& one, CanBus& other, const CanConfig& config) {
    CanConfig nowhere = config;
    nowhere.interface = "nowhere0";
    EXPECT_TRUE(one.open(nowhere).is(Code::kUnavailable));
    for (int round = 0; round < 2; ++round) {
        ASSERT_TRUE(one.open(config).ok());
        ASSERT_TRUE(other.open(config).ok());
        CanFrame came;
        EXPECT_FALSE(*one.receive(came));
        for (size_t size = 0; size <= kClassicCanData; ++size) {
            check_frame(one, other, can_frame(0x18DA10F1, true, size));
            check_frame(other, one, can_frame(0x7E8, false, size));
        }
        // A burst that is taken later, in order.
        for (uint32_t i = 0; i < 100; ++i) {
            ASSERT_TRUE(one.send(can_frame(0x100 + i, false, 8)).ok());
            ASSERT_TRUE(await_sent(one) == CanBus::Sending::kSent);
        }
        for (uint32_t i = 0; i < 100; ++i) {
            ASSERT_TRUE(await_frame(other, came)) << i;
            EXPECT_EQ(came.id, 0x100 + i);
        }
        EXPECT_FALSE(*other.receive(came));
        one.close();
        other.close();
    }
}

}  // namespace ota::contract
