// A Modbus server that is shared with the application.
#include "sources/modbus/modbus_gate.hpp"

#include <array>

#include "support/test.hpp"

namespace ota {
namespace {

template <size_t N>
bool is_ours(const std::array<uint8_t, N>& pdu) {
    return is_for_update_block(pdu, 8000);
}

std::array<uint8_t, 5> read_at(unsigned address, uint8_t function = 3) {
    return {function, static_cast<uint8_t>(address >> 8), static_cast<uint8_t>(address), 0, 1};
}

TEST(ModbusGate, WhatIsForTheUpdateBlock) {
    EXPECT_TRUE(is_ours(read_at(8000)));
    EXPECT_TRUE(is_ours(read_at(8000, 4)));
    EXPECT_TRUE(is_ours(read_at(8355)));
    EXPECT_FALSE(is_ours(read_at(7999)));
    EXPECT_FALSE(is_ours(read_at(8356)));
    EXPECT_FALSE(is_ours(read_at(0)));
    EXPECT_FALSE(is_ours(read_at(65535)));
    EXPECT_TRUE(is_ours(read_at(8101, 6)));
    EXPECT_FALSE(is_ours(read_at(100, 6)));
    EXPECT_TRUE(is_ours(std::array<uint8_t, 8>{16, 0x1F, 0x40, 0, 1, 2, 0, 0}));
    EXPECT_FALSE(is_ours(std::array<uint8_t, 8>{16, 0, 0x40, 0, 1, 2, 0, 0}));
    EXPECT_TRUE(is_ours(std::array<uint8_t, 4>{43, 14, 1, 0}));
    // Broken, coils, unknown: the application's server answers.
    EXPECT_FALSE(is_ours(std::array<uint8_t, 3>{3, 0x1F, 0x40}));
    EXPECT_FALSE(is_ours(read_at(8000, 1)));
    EXPECT_FALSE(is_ours(read_at(8000, 8)));
    EXPECT_FALSE(is_for_update_block({}, 8000));
}

TEST(ModbusGate, OneRequestAtATimeToAndFro) {
    ModbusGate gate;
    std::array<uint8_t, kModbusRequest> request{};
    std::array<uint8_t, kModbusPdu> answer{};
    ModbusTarget target;
    EXPECT_EQ(*gate.receive(request, target), 0U);
    ASSERT_TRUE(gate.post(read_at(8000)));
    EXPECT_FALSE(gate.post(read_at(8001)));
    EXPECT_EQ(gate.take(answer), 0U);
    ASSERT_EQ(*gate.receive(request, target), 5U);
    EXPECT_TRUE(target.is_direct && !target.is_broadcast);
    EXPECT_EQ(request[2], 0x40);
    EXPECT_EQ(*gate.receive(request, target), 0U);
    EXPECT_FALSE(gate.post(read_at(8001)));
    const std::array<uint8_t, 4> registers{3, 2, 0x12, 0x34};
    ASSERT_TRUE(gate.answer(registers).ok());
    EXPECT_FALSE(gate.post(read_at(8001)));
    ASSERT_EQ(gate.take(answer), 4U);
    EXPECT_EQ(answer[3], 0x34);
    EXPECT_EQ(gate.take(answer), 0U);
    EXPECT_TRUE(gate.post(read_at(8001)));
}

// Whoever asked has gone: at each moment of it the next one gets an answer of his own.
TEST(ModbusGate, WithdrawnAtAnyTime) {
    for (int moment = 0; moment < 4; ++moment) {
        ModbusGate gate;
        std::array<uint8_t, kModbusRequest> request{};
        std::array<uint8_t, kModbusPdu> answer{};
        ModbusTarget target;
        const std::array<uint8_t, 2> late{3, 1};
        const std::array<uint8_t, 3> next{3, 2, 2};
        if (moment > 0) {
            ASSERT_TRUE(gate.post(read_at(8000)));
        }
        if (moment > 1) {
            ASSERT_EQ(*gate.receive(request, target), 5U);
        }
        if (moment > 2) {
            ASSERT_TRUE(gate.answer(late).ok());
        }
        gate.withdraw();
        if (moment == 2) {
            EXPECT_FALSE(gate.post(read_at(8001)));  // it is still being served
            ASSERT_TRUE(gate.answer(late).ok());
        }
        ASSERT_TRUE(gate.post(read_at(8001))) << moment;
        ASSERT_EQ(*gate.receive(request, target), 5U);
        EXPECT_EQ(request[2], 0x41);
        ASSERT_TRUE(gate.answer(next).ok());
        EXPECT_EQ(gate.take(answer), 3U);
    }
}

}  // namespace
}  // namespace ota
