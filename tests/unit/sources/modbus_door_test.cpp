// The door before the orders of a Modbus master.
#include <psa/crypto.h>

#include "modbus_bench.hpp"

namespace ota {
namespace {

using Exception = ModbusException;
using modbus::Order;

struct LockedBench : ModbusBench {
    LockedBench() : ModbusBench(true) {
        access_hmac_key = import_hmac_key();
        EXPECT_TRUE(start_server());
        turn();
    }
    ~LockedBench() override { (void)psa_destroy_key(access_hmac_key); }

    // 0, or the state that the door is in afterwards.
    uint16_t prove(bool well) {
        turn();
        const auto challenge = read(modbus::kRegChallenge, 16);
        Buffer message = {'O', 'T', 'A', '1', 1};
        for (const char c : std::string_view("BESS-0042")) {
            message.push_back(static_cast<uint8_t>(c));
        }
        for (const uint16_t value : challenge) {
            message.push_back(static_cast<uint8_t>(value >> 8));
            message.push_back(static_cast<uint8_t>(value));
        }
        Buffer mac = hmac_of(access_hmac_key, message);
        if (!well) mac[0] ^= 1;
        std::vector<uint16_t> values;
        for (size_t i = 0; i < mac.size(); i += 2) values.push_back(load_be16(&mac[i]));
        refused = write(modbus::kRegProof, values);
        (void)run_until([&] { return reg(modbus::kRegAccess) != 1; }, 5000);
        return reg(modbus::kRegAccess);
    }
    Exception refused = Exception::kNone;
};

TEST(ModbusDoor, OrdersNeedAnAnswerToTheChallenge) {
    LockedBench device;
    const Buffer package = package_of("1.1.0");
    EXPECT_NE(device.reg(modbus::kRegCaps) & modbus::kCapLocked, 0);
    EXPECT_EQ(device.order(Order::kOpen, ModbusBench::open_values(package)), Exception::kValue);
    EXPECT_EQ(device.last(), WindowResult::kLocked);
    EXPECT_EQ(device.reg(modbus::kRegTag), 0U);
    EXPECT_EQ(device.order(Order::kRollback), Exception::kValue);
    ASSERT_EQ(device.prove(true), 2U);
    ASSERT_EQ(device.push(package), modbus::kResultOk);
}

TEST(ModbusDoor, ChallengesAreFreshAndGoodForOneTry) {
    LockedBench device;
    const auto first = device.read(modbus::kRegChallenge, 16);
    device.turn();
    const auto second = device.read(modbus::kRegChallenge, 16);
    EXPECT_TRUE(first.size() == 16 && second.size() == 16 && first != second);
    EXPECT_EQ(device.read(modbus::kRegChallenge + 1, 15).size(), 15U);  // the same still
    device.turn();
    EXPECT_EQ(device.prove(false), 0U);
    // The proof for a challenge that is used up.
    EXPECT_EQ(device.write(modbus::kRegProof, std::vector<uint16_t>(16, 1)), Exception::kValue);
}

TEST(ModbusDoor, ThreeWrongAnswersShutItForAWhile) {
    LockedBench device;
    EXPECT_EQ(device.prove(false), 0U);
    EXPECT_EQ(device.prove(false), 0U);
    EXPECT_EQ(device.prove(false), 3U);
    EXPECT_EQ(device.prove(true), 3U);
    EXPECT_EQ(device.refused, Exception::kBusy);
    device.clock.advance(AccessDoor::kPause);
    EXPECT_EQ(device.prove(true), 2U);
}

TEST(ModbusDoor, FallsShutBehindAPeerThatIsGone) {
    LockedBench device;
    ASSERT_EQ(device.prove(true), 2U);
    device.clock.advance(AccessDoor::kIdle - 1000);
    EXPECT_EQ(device.reg(modbus::kRegAccess), 2U);
    EXPECT_EQ(device.order(Order::kCheck), Exception::kNone);
    device.clock.advance(AccessDoor::kIdle + 1000);
    EXPECT_EQ(device.reg(modbus::kRegAccess), 0U);
}

}  // namespace
}  // namespace ota
