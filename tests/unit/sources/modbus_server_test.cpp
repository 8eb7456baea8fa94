// Updates over Modbus: the register block as masters use it, well and badly.
#include "modbus_bench.hpp"

namespace ota {
namespace {

using Exception = ModbusException;
using modbus::Order;

TEST(ModbusServer, SaysWhatItIs) {
    ModbusBench device;
    EXPECT_EQ(device.number(modbus::kRegMagic), modbus::kMagic);
    EXPECT_EQ(device.reg(modbus::kRegMapVersion), 0x0100U);
    EXPECT_EQ(device.reg(modbus::kRegMaxData), 120U);
    EXPECT_EQ(device.reg(modbus::kRegAckUnit), 4096U);
    EXPECT_EQ(device.reg(modbus::kRegVersion), '1' << 8 | '.');
    EXPECT_EQ(device.reg(modbus::kRegSerial), 'B' << 8 | 'E');
    EXPECT_EQ(device.reg(modbus::kRegState), 0U);
    EXPECT_EQ(device.reg(modbus::kRegTag), 0U);
    const uint16_t caps = device.reg(modbus::kRegCaps);
    EXPECT_EQ(caps & modbus::kCapLocked, 0);
    EXPECT_NE(caps & modbus::kCapSuit, 0);
    // The same as input registers, and as a file record.
    EXPECT_TRUE(device.ask(ModbusBench::read_request(0, 3, 4))[2] == 0x4F);
    const Buffer record = device.ask({20, 7, 6, 0xFF, 0xFF, 0, 0, 0, 2});
    EXPECT_TRUE((record == Buffer{20, 6, 5, 6, 0x4F, 0x54, 0x41, 0x31}));
}

TEST(ModbusServer, DeviceIdentification) {
    ModbusBench device;
    const Buffer basic = device.ask({43, 14, 1, 0});
    ASSERT_GT(basic.size(), 9U);
    EXPECT_EQ(basic[6], 3U);  // objects
    EXPECT_EQ(basic[7], 0U);
    const Buffer regular = device.ask({43, 14, 2, 0});
    EXPECT_EQ(regular[6], 7U);
    const Buffer single = device.ask({43, 14, 4, 2});
    EXPECT_TRUE((single == Buffer{43, 14, 4, 0x82, 0, 0, 1, 2, 5, '1', '.', '0', '.', '0'}));
    EXPECT_EQ(ModbusBench::exception_of(device.ask({43, 14, 4, 7})), Exception::kAddress);
    EXPECT_TRUE(device.ask({43, 14, 1, 99}) == basic);  // an unknown one: from the first on
    EXPECT_EQ(ModbusBench::exception_of(device.ask({43, 13, 1, 0})), Exception::kFunction);
}

TEST(ModbusServer, InstallsAnImageAndASuitPackage) {
    for (const bool is_suit : {false, true}) {
        ModbusBench device;
        const Buffer package =
            is_suit
                ? test::make_package(test::app_and_config(image_of("1.1.0"), filled(301, 1), 100))
                : package_of("1.1.0");
        ASSERT_EQ(device.push(package), modbus::kResultOk);
        EXPECT_EQ(device.reg(modbus::kRegProgress), 1000U);
        EXPECT_EQ(device.number(modbus::kRegNext), package.size());
        EXPECT_EQ(device.order(Order::kApply, {0, 0}), Exception::kNone);
        EXPECT_EQ(device.result(), modbus::kResultOk);
        (void)device.run_until([&] { return device.restart.requested; });
        EXPECT_TRUE(device.runs("1.1.0"));
        EXPECT_EQ(device.manager().snapshot().attempt.source, SourceKind::kModbus);
    }
}

// Images for module boards need no restart: the engine ends in IDLE, and all is well.
TEST(ModbusServer, PackageForBoardsAloneIsAppliedWithoutARestart) {
    ModbusBench device;
    ASSERT_EQ(device.push(test::make_package(test::boards_package(filled(3000, 5), 3, 100))),
              modbus::kResultOk);
    EXPECT_EQ(device.order(Order::kApply), Exception::kNone);
    EXPECT_EQ(device.result(), modbus::kResultOk);
    EXPECT_EQ(device.state(), State::kIdle);
    EXPECT_FALSE(device.restart.requested);
    EXPECT_EQ(device.order(Order::kFinish), Exception::kNone);
    EXPECT_EQ(device.result(), modbus::kResultOk);
    ASSERT_EQ(device.push(package_of("1.1.0")), modbus::kResultOk);  // and the next is taken
}

TEST(ModbusServer, AppliesByItselfWhenAskedTo) {
    ModbusBench device;
    const Buffer package = package_of("1.1.0");
    ASSERT_EQ(device.open(package, modbus::kFlagApply), modbus::kResultOk);
    (void)device.send_until(static_cast<uint32_t>(package.size()));
    (void)device.run_until([&] {
        device.desk->poll();
        return device.restart.requested;
    });
    EXPECT_TRUE(device.runs("1.1.0"));
}

TEST(ModbusServer, AppliesAfterADelayAndNotAfterAnAbort) {
    ModbusBench device;
    ASSERT_EQ(device.push(package_of("1.1.0")), modbus::kResultOk);
    EXPECT_EQ(device.order(Order::kApply, {0, 30}), Exception::kNone);
    const auto turn_for = [&](Millis time) {
        const Millis end = device.clock.now() + time;
        (void)device.run_until([&] {
            device.desk->poll();
            return device.clock.now() >= end;
        });
    };
    turn_for(29000);
    EXPECT_EQ(device.state(), State::kReadyToApply);
    EXPECT_EQ(device.reg(modbus::kRegResult), modbus::kResultPending);
    EXPECT_EQ(device.order(Order::kAbort), Exception::kNone);
    EXPECT_EQ(device.result(), modbus::kResultOk);
    turn_for(5000);
    EXPECT_EQ(device.state(), State::kAborted);
    EXPECT_EQ(device.reg(modbus::kRegTag), 0U);
    // And once more, with the delay over.
    ASSERT_EQ(device.push(package_of("1.1.0")), modbus::kResultOk);
    EXPECT_EQ(device.order(Order::kApply, {0, 1}), Exception::kNone);
    EXPECT_EQ(device.result(), modbus::kResultOk);
    (void)device.run_until([&] { return device.restart.requested; });
    EXPECT_TRUE(device.runs("1.1.0"));
}

TEST(ModbusServer, PackagesOfAnOddSizeEndInHalfARegister) {
    ModbusBench device;
    Buffer package =
        test::make_package(test::app_and_config(image_of("1.1.0"), filled(300, 1), 100));
    if (package.size() % 2 == 0) {
        package = test::make_package(test::app_and_config(image_of("1.1.0"), filled(301, 1), 100));
    }
    ASSERT_EQ(package.size() % 2, 1U);
    ASSERT_EQ(device.open(package), modbus::kResultOk);
    ASSERT_TRUE(device.send_until(static_cast<uint32_t>(package.size()) - 1));
    EXPECT_EQ(device.order(Order::kFinish), Exception::kNone);
    EXPECT_EQ(device.result(), modbus::kResultOk);
    EXPECT_EQ(device.number(modbus::kRegNext), package.size());
}

TEST(ModbusServer, AllThreeWaysToWriteBytes) {
    ModbusBench device;
    const Buffer package = package_of("1.1.0");
    ASSERT_EQ(device.open(package), modbus::kResultOk);
    EXPECT_EQ(device.put(0, 240), Exception::kNone);
    // File record: 240 is record 120 of file 1.
    Buffer record = {21, 7 + 244, 6, 0, 1, 0, 120, 0, 122};
    record.insert(record.end(), package.begin() + 240, package.begin() + 484);
    EXPECT_TRUE(device.ask(record) == record);
    EXPECT_EQ(device.number(modbus::kRegNext), 484U);
    // Window and status in one exchange.
    const Buffer window = device.window_request(484, 236, device.tag);
    Buffer exchange = {23, 0, 0, 0, 19};
    store_be16(&exchange[1], ModbusBench::kBase + modbus::kRegState);
    exchange.insert(exchange.end(), window.begin() + 1, window.end());
    const Buffer answer = device.ask(exchange);
    ASSERT_EQ(answer.size(), 2 + 38U);
    EXPECT_EQ(load_be32(&answer[2 + 2 * (modbus::kRegNext - modbus::kRegState)]), 720U);
    // The second file begins at 20,000.
    ASSERT_TRUE(device.send_until(20000));
    const uint32_t at = device.number(modbus::kRegNext);
    ASSERT_LT(at, 20240U);
    Buffer second = {21, 9, 6, 0, 2, 0, 0, 0, 1, 0, 0};
    store_be16(&second[5], static_cast<uint16_t>((at - 20000) / 2));
    std::copy_n(package.begin() + static_cast<long>(at), 2, second.begin() + 9);
    EXPECT_TRUE(device.ask(second) == second);
    EXPECT_EQ(device.number(modbus::kRegNext), at + 2);
    EXPECT_EQ(ModbusBench::exception_of(device.ask({21, 9, 6, 0xFF, 0xFE, 0, 0, 0, 1, 0, 0})),
              Exception::kValue);
    EXPECT_EQ(ModbusBench::exception_of(device.ask({21, 9, 6, 0xFF, 0xFF, 0, 0, 0, 1, 0, 0})),
              Exception::kAddress);
    // What is in the device does not come out.
    EXPECT_EQ(ModbusBench::exception_of(device.ask({20, 7, 6, 0, 1, 0, 0, 0, 1})),
              Exception::kAddress);
}

// ---------------------------------------------------------------- blocks

TEST(FieldCase, J03_block_that_comes_again_is_answered_and_not_stored_again) {
    ModbusBench device;
    const Buffer package = package_of("1.1.0");
    ASSERT_EQ(device.open(package), modbus::kResultOk);
    EXPECT_EQ(device.put(0, 240), Exception::kNone);
    EXPECT_EQ(device.put(0, 240), Exception::kNone);
    EXPECT_EQ(device.last(), WindowResult::kDuplicate);
    EXPECT_EQ(device.number(modbus::kRegNext), 240U);
    EXPECT_EQ(device.put(120, 240), Exception::kNone);  // the new end alone
    EXPECT_EQ(device.number(modbus::kRegNext), 360U);
    EXPECT_EQ(device.put(600, 240), Exception::kValue);
    EXPECT_EQ(device.last(), WindowResult::kGap);
    EXPECT_EQ(device.number(modbus::kRegNext), 360U);
    EXPECT_EQ(device.reg(modbus::kRegDuplicates), 1U);
    ASSERT_TRUE(device.send_until(static_cast<uint32_t>(package.size())));
    EXPECT_EQ(device.order(Order::kFinish), Exception::kNone);
    ASSERT_EQ(device.result(), modbus::kResultOk);
    // Also when all of it is verified: the answer to the last block may have been lost.
    EXPECT_EQ(device.put(static_cast<uint32_t>(package.size()) - 240, 240), Exception::kNone);
    EXPECT_EQ(device.last(), WindowResult::kDuplicate);
    EXPECT_EQ(device.state(), State::kReadyToApply);
}

// wirenboard/wb-mcu-fw-flasher: a block is skipped because only its answer was thought to be lost.
TEST(ModbusServer, EveryHundredthAnswerIsLostAndTheImageIsTheSame) {
    ModbusBench device;
    const Buffer package = package_of("1.1.0", 64 * 1024);
    ASSERT_EQ(device.open(package), modbus::kResultOk);
    uint32_t at = 0;
    for (int i = 1; at < package.size(); ++i) {
        const size_t size = std::min<size_t>(240, package.size() - at);
        const Exception error = device.put(at, size);
        const bool is_lost = i % 100 == 0;
        if (error == Exception::kNone && !is_lost) at += static_cast<uint32_t>(size);
        if (error != Exception::kNone) {
            ASSERT_EQ(error, Exception::kBusy);
            device.turn();
        }
    }
    EXPECT_EQ(device.order(Order::kFinish), Exception::kNone);
    ASSERT_EQ(device.result(), modbus::kResultOk);
    EXPECT_GT(device.reg(modbus::kRegDuplicates), 0U);
}

TEST(ModbusServer, EveryHundredthRequestIsLostAndTheImageIsTheSame) {
    ModbusBench device;
    const Buffer package = package_of("1.1.0", 64 * 1024);
    ASSERT_EQ(device.open(package), modbus::kResultOk);
    uint32_t at = 0;
    for (int i = 1; at < package.size(); ++i) {
        if (i % 100 == 0) continue;  // the master's timer runs out, and it sends the same
        const size_t size = std::min<size_t>(240, package.size() - at);
        if (device.put(at, size) == Exception::kNone) {
            at += static_cast<uint32_t>(size);
        } else {
            device.turn();
        }
    }
    EXPECT_EQ(device.order(Order::kFinish), Exception::kNone);
    ASSERT_EQ(device.result(), modbus::kResultOk);
    EXPECT_EQ(device.reg(modbus::kRegDuplicates), 0U);
}

TEST(ModbusServer, WindowBeforeTheEngineHasReadIsAskedForLater) {
    ModbusBench device;
    ASSERT_EQ(device.open(package_of("1.1.0")), modbus::kResultOk);
    uint32_t at = 0;
    while (device.put(at, 240) == Exception::kNone) at += 240;
    EXPECT_EQ(at, PushWindow::kCapacity / 240 * 240);
    EXPECT_EQ(device.put(at, 240), Exception::kBusy);
    EXPECT_EQ(device.last(), WindowResult::kBusy);
    EXPECT_GT(device.reg(modbus::kRegRetry), 0U);
    EXPECT_EQ(device.number(modbus::kRegNext), at);
}

// iyus/simple-modbus#36
TEST(FieldCase, G08_writes_that_do_not_fit_change_nothing) {
    ModbusBench device;
    const Buffer package = package_of("1.1.0");
    ASSERT_EQ(device.open(package), modbus::kResultOk);
    const auto before = device.read(0, 76);
    const std::vector<uint16_t> long_write(123, 1);
    // Beyond the block; from the command area into the window; read-only ones; half of an area.
    EXPECT_EQ(device.write(modbus::kRegEnd, {1}), Exception::kAddress);
    EXPECT_EQ(device.write(modbus::kRegEnd - 1, {1, 2}), Exception::kAddress);
    EXPECT_EQ(device.write(modbus::kRegSequence, long_write), Exception::kAddress);
    EXPECT_EQ(device.write(modbus::kRegOpenDigest, long_write), Exception::kAddress);
    EXPECT_EQ(device.write(modbus::kRegState, {9}), Exception::kAddress);
    EXPECT_EQ(device.write(modbus::kRegSequence, {9}), Exception::kAddress);
    EXPECT_EQ(device.write(modbus::kRegWindowData, {1, 2, 3}), Exception::kAddress);
    EXPECT_EQ(device.write(modbus::kRegWindow, {device.tag, 0, 0}), Exception::kValue);  // no data
    EXPECT_EQ(device.write(modbus::kRegProof, std::vector<uint16_t>(17, 1)), Exception::kAddress);
    EXPECT_EQ(device.write(static_cast<uint16_t>(-1), {1}), Exception::kAddress);
    auto after = device.read(0, 76);
    after[modbus::kRegErrors] = before[modbus::kRegErrors];
    after[modbus::kRegLastResult] = before[modbus::kRegLastResult];
    EXPECT_TRUE(after == before);
    // Reading beyond it.
    EXPECT_EQ(ModbusBench::exception_of(device.ask(ModbusBench::read_request(322, 2))),
              Exception::kAddress);
    EXPECT_EQ(ModbusBench::exception_of(device.ask(ModbusBench::read_request(340, 17))),
              Exception::kAddress);
    EXPECT_EQ(device.read(340, 16).size(), 16U);
    // More data than a window has, by a master that takes 123 registers for it.
    std::vector<uint16_t> window(124, 0);
    window[0] = device.tag;
    EXPECT_EQ(device.write(modbus::kRegWindow, window), Exception::kValue);
}

TEST(ModbusServer, NothingIsTakenBehindTheEndOfThePackage) {
    ModbusBench device;
    const Buffer package = package_of("1.1.0");
    ASSERT_EQ(device.open(package), modbus::kResultOk);
    device.offered.resize(package.size() + 1000);
    const auto size = static_cast<uint32_t>(package.size());
    EXPECT_EQ(device.put(size - 2, 4), Exception::kValue);
    EXPECT_EQ(device.last(), WindowResult::kRange);
    EXPECT_EQ(device.put(size, 2), Exception::kValue);
    EXPECT_EQ(device.last(), WindowResult::kRange);
}

TEST(ModbusServer, BadPackageIsRefusedAndSaidWhy) {
    ModbusBench device;
    Buffer package = package_of("1.1.0");
    ASSERT_EQ(device.open(package), modbus::kResultOk);
    device.offered[20000] ^= 1;
    (void)device.send_until(static_cast<uint32_t>(package.size()));
    EXPECT_EQ(device.order(Order::kFinish), Exception::kNone);
    const uint16_t result = device.result();
    EXPECT_GE(result, modbus::kResultFailure);
    EXPECT_EQ(device.reg(modbus::kRegState), static_cast<uint16_t>(State::kFailed));
    EXPECT_EQ(device.reg(modbus::kRegError), 6U);  // validation failed
    EXPECT_EQ(device.put(0, 240), Exception::kFailure);
    EXPECT_EQ(device.last(), WindowResult::kFatal);
    EXPECT_EQ(device.order(Order::kApply, {0, 0}), Exception::kNone);
    EXPECT_EQ(device.result(), ModbusBench::failure(Detail::kNotNow));
    // The next one is taken.
    ASSERT_EQ(device.push(package), modbus::kResultOk);
}

// ---------------------------------------------------------------- masters

TEST(ModbusServer, MasterThatCrashedGoesOnWhereItWas) {
    ModbusBench device;
    const Buffer package = package_of("1.1.0", 64 * 1024);
    ASSERT_EQ(device.open(package), modbus::kResultOk);
    ASSERT_TRUE(device.send_until(30000));
    const uint32_t next = device.number(modbus::kRegNext);
    const uint16_t old_tag = device.tag;
    ASSERT_EQ(device.open(package), modbus::kResultOk);  // it knows of nothing
    EXPECT_NE(device.tag, old_tag);
    EXPECT_EQ(device.number(modbus::kRegNext), next);
    // And the old one wakes up.
    EXPECT_EQ(ModbusBench::exception_of(device.ask(device.window_request(next, 240, old_tag))),
              Exception::kValue);
    EXPECT_EQ(device.last(), WindowResult::kStaleTag);
    ASSERT_TRUE(device.send_until(static_cast<uint32_t>(package.size())));
}

TEST(ModbusServer, WhatWasAbortedOnTheSpotIsPushedAgain) {
    ModbusBench device;
    const Buffer package = package_of("1.1.0");
    ASSERT_EQ(device.push(package), modbus::kResultOk);
    (void)device.post(CommandKind::kAbort);  // somebody at the device
    ASSERT_TRUE(device.run_to(State::kAborted));
    device.turn();
    EXPECT_EQ(device.put(0, 240), Exception::kFailure);
    ASSERT_EQ(device.push(package), modbus::kResultOk);
    EXPECT_EQ(device.state(), State::kReadyToApply);
}

TEST(FieldCase, G10_second_master_has_its_telemetry_and_no_part_in_the_update) {
    ModbusBench device;
    const Buffer package = package_of("1.1.0", 64 * 1024);
    const Buffer other = package_of("1.2.0");
    ASSERT_EQ(device.open(package), modbus::kResultOk);
    ASSERT_TRUE(device.send_until(20000));
    EXPECT_EQ(device.order(Order::kOpen, ModbusBench::open_values(other, modbus::kFlagReplace)),
              Exception::kNone);
    EXPECT_EQ(device.result(), ModbusBench::failure(Detail::kLinkBusy));
    EXPECT_GT(device.reg(modbus::kRegLease), 50U);
    EXPECT_EQ(device.reg(modbus::kRegTag), device.tag);
    // Polling in between, each time answered.
    bool answered = true;
    (void)device.run_until([&] {
        (void)device.send_block();
        answered = answered && device.read(modbus::kRegState, 19).size() == 19;
        return device.number(modbus::kRegNext) == package.size();
    });
    EXPECT_TRUE(answered);
    EXPECT_EQ(device.order(Order::kFinish), Exception::kNone);
    EXPECT_EQ(device.result(), modbus::kResultOk);
}

TEST(ModbusServer, AnotherMasterTakesOverWhenTheLeaseIsOver) {
    ModbusBench device;
    const Buffer other = package_of("1.2.0");
    ASSERT_EQ(device.open(package_of("1.1.0", 64 * 1024)), modbus::kResultOk);
    ASSERT_TRUE(device.send_until(20000));
    const Millis end = device.clock.now() + PushDesk::kLease + 1000;
    (void)device.run_until([&] {
        device.desk->poll();
        return device.clock.now() > end;
    });
    EXPECT_EQ(device.reg(modbus::kRegLease), 0U);
    // What the first one left in flash is not given up unasked.
    EXPECT_EQ(device.open(other), ModbusBench::failure(Detail::kOtherPackage));
    ASSERT_EQ(device.open(other, modbus::kFlagReplace), modbus::kResultOk);
    ASSERT_TRUE(device.send_until(static_cast<uint32_t>(other.size())));
    EXPECT_EQ(device.order(Order::kFinish), Exception::kNone);
    EXPECT_EQ(device.result(), modbus::kResultOk);
}

TEST(ModbusServer, OrderThatComesAgainIsNotExecutedAgain) {
    ModbusBench device;
    const Buffer package = package_of("1.1.0");
    ASSERT_EQ(device.open(package), modbus::kResultOk);
    const uint16_t tag = device.tag;
    ASSERT_TRUE(device.send_until(1000));
    // The same sequence number: its answer was lost.
    --device.sequence;
    EXPECT_EQ(device.order(Order::kOpen, ModbusBench::open_values(package)), Exception::kNone);
    EXPECT_EQ(device.result(), modbus::kResultOk);
    EXPECT_EQ(device.reg(modbus::kRegTag), tag);
    --device.sequence;
    EXPECT_EQ(device.order(Order::kAbort), Exception::kNone);
    EXPECT_EQ(device.reg(modbus::kRegTag), tag);
    // A single register has no number of its own: each counts.
    Buffer one = {6, 0, 0, 0, 4};
    store_be16(&one[1], ModbusBench::kBase + modbus::kRegCommand);
    EXPECT_TRUE(device.ask(one) == one);
    EXPECT_EQ(device.result(), modbus::kResultOk);
    EXPECT_EQ(device.reg(modbus::kRegTag), 0U);
}

TEST(ModbusServer, OrdersThatMakeNoSense) {
    ModbusBench device;
    EXPECT_EQ(device.order(static_cast<Order>(0)), Exception::kValue);
    EXPECT_EQ(device.order(static_cast<Order>(10)), Exception::kValue);
    for (const Order order : {Order::kFinish, Order::kApply, Order::kConfirm}) {
        EXPECT_EQ(device.order(order), Exception::kNone);
        EXPECT_GE(device.result(), modbus::kResultFailure);
    }
    EXPECT_EQ(device.order(Order::kAbort), Exception::kNone);  // nothing is what there is then
    EXPECT_EQ(device.result(), modbus::kResultOk);
    EXPECT_EQ(device.order(Order::kOpen, {0, 0, 0, 0, 0, 0}), Exception::kNone);  // no digest
    EXPECT_GE(device.result(), modbus::kResultFailure);
    const Buffer package = package_of("1.1.0");
    ASSERT_EQ(device.open(package), modbus::kResultOk);
    EXPECT_EQ(device.order(Order::kFinish), Exception::kNone);
    EXPECT_EQ(device.result(), ModbusBench::failure(Detail::kNotWhole));
    EXPECT_GT(device.reg(modbus::kRegErrors), 0U);
    EXPECT_EQ(device.order(Order::kClear), Exception::kNone);
    EXPECT_EQ(device.reg(modbus::kRegErrors), 0U);
    EXPECT_EQ(device.reg(modbus::kRegResult), modbus::kResultOk);
}

TEST(ModbusServer, GoesOnBehindWhatFlashHoldsAfterALossOfPower) {
    ModbusBench device;
    const Buffer package = package_of("1.1.0", 64 * 1024);
    ASSERT_EQ(device.open(package), modbus::kResultOk);
    ASSERT_TRUE(device.send_until(40000));
    const uint32_t durable = device.number(modbus::kRegDurable);
    EXPECT_GE(durable, 24576U);  // the window is not in flash yet
    EXPECT_EQ(durable % 4096, 0U);
    ASSERT_TRUE(device.start_server());
    device.turn();
    EXPECT_EQ(device.put(40000, 240), Exception::kValue);
    EXPECT_EQ(device.last(), WindowResult::kNoSession);
    // Another package is refused as long as part of this one is there.
    EXPECT_EQ(device.open(package_of("1.3.0")), ModbusBench::failure(Detail::kOtherPackage));
    ASSERT_EQ(device.open(package), modbus::kResultOk);
    ASSERT_TRUE(device.send_until(1000));  // the device looks at the start again …
    EXPECT_GE(device.number(modbus::kRegNext), durable);
    ASSERT_TRUE(device.send_until(static_cast<uint32_t>(package.size())));
    EXPECT_EQ(device.order(Order::kFinish), Exception::kNone);
    EXPECT_EQ(device.result(), modbus::kResultOk);
}

TEST(ModbusServer, TrialIsConfirmedAndRolledBackByOrder) {
    for (const bool keep : {true, false}) {
        ModbusBench device;
        ASSERT_EQ(device.push(package_of("1.1.0")), modbus::kResultOk);
        EXPECT_EQ(device.order(Order::kApply), Exception::kNone);
        (void)device.run_until([&] {
            device.desk->poll();
            return device.restart.requested;
        });
        device.probe.health = Health::kPending;
        ASSERT_TRUE(device.start_server(ResetReason::kSoftware));
        EXPECT_EQ(device.open(package_of("1.2.0")), ModbusBench::failure(Detail::kTrialRunning));
        EXPECT_EQ(device.order(keep ? Order::kConfirm : Order::kRollback), Exception::kNone);
        EXPECT_EQ(device.result(), modbus::kResultOk);
        if (keep) {
            EXPECT_FALSE(device.manager().snapshot().trial);
        } else {
            (void)device.run_until([&] { return device.restart.requested; });
            ASSERT_TRUE(device.boot(ResetReason::kSoftware));
            EXPECT_TRUE(device.running_version() == "1.0.0");
        }
    }
}

// ---------------------------------------------------------------- units

// stephane/libmodbus#376, pymodbus-dev/pymodbus#2571, sourceperl/pyModbusTCP#56
TEST(ModbusServer, UnitsOnTcpAndBroadcastOnALine) {
    ModbusBench device;
    const Buffer read = ModbusBench::read_request(0, 2);
    for (const uint8_t unit : std::initializer_list<uint8_t>{0, 1, 255}) {
        EXPECT_EQ(device.ask(read, {unit, false, true}).size(), 6U);
    }
    EXPECT_EQ(ModbusBench::exception_of(device.ask(read, {7, false, true})), Exception::kNoTarget);
    EXPECT_TRUE(device.ask(read, {7, false, false}).empty());  // another slave's
    EXPECT_TRUE(device.ask(read, {0, true, false}).empty());
    const Buffer open =
        ModbusBench::write_request(modbus::kRegSequence, {1, static_cast<uint16_t>(Order::kCheck)});
    EXPECT_TRUE(device.ask(open, {0, true, false}).empty());
    EXPECT_EQ(device.reg(modbus::kRegSequenceDone), 0U);
    EXPECT_TRUE(device.mailbox.queue.empty());
}

// ---------------------------------------------------------------- battery

TEST(ModbusServer, RedBatteryIsSaidAndWaitedFor) {
    ModbusBench device;
    const Buffer package = package_of("1.1.0", 64 * 1024);
    device.battery.values.soc_percent = 10;
    (void)device.run_until([&] { return device.reg(modbus::kRegInterlock) != 0; }, 5000);
    EXPECT_EQ(device.reg(modbus::kRegInterlock), kInterlockSoc);
    device.battery.values.soc_percent = 80;
    ASSERT_EQ(device.open(package), modbus::kResultOk);
    ASSERT_TRUE(device.send_until(20000));
    device.battery.values.t_max_millicelsius = 60000;
    device.battery.values.current_milliampere = -50000;
    uint32_t at = 0;
    const Millis end = device.clock.now() + 120000;  // twice the lease
    Exception last = Exception::kNone;
    (void)device.run_until([&] {
        last = device.send_block();
        at = device.number(modbus::kRegNext);
        return device.clock.now() > end;
    });
    EXPECT_EQ(last, Exception::kBusy);
    EXPECT_EQ(device.reg(modbus::kRegInterlock), kInterlockHot | kInterlockCurrent);
    EXPECT_GE(device.reg(modbus::kRegRetry), 1000U);
    EXPECT_GT(device.reg(modbus::kRegLease), 0U);
    EXPECT_EQ(device.reg(modbus::kRegState), static_cast<uint16_t>(State::kDownloading));
    device.battery.values.t_max_millicelsius = 24000;
    device.battery.values.current_milliampere = 0;
    ASSERT_TRUE(device.send_until(static_cast<uint32_t>(package.size())));
    EXPECT_GT(device.number(modbus::kRegNext), at);
    EXPECT_EQ(device.order(Order::kFinish), Exception::kNone);
    EXPECT_EQ(device.result(), modbus::kResultOk);
}

}  // namespace
}  // namespace ota
