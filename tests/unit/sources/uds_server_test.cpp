// Updates over UDS: the services as testers use them, well and badly.
#include "uds_bench.hpp"

namespace ota {
namespace {

TEST(UdsServer, SessionsAndTheirTimer) {
    UdsBench device;
    EXPECT_TRUE((device.ask({0x10, 3}) == Buffer{0x50, 3, 0, 50, 1, 0xF4}));
    EXPECT_TRUE((device.ask({0x22, 0xF1, 0x86}) == Buffer{0x62, 0xF1, 0x86, 3}));
    for (int i = 0; i < 5; ++i) {
        device.wait(4000);
        EXPECT_TRUE((device.ask({0x3E, 0}) == Buffer{0x7E, 0}));
    }
    device.wait(4000);
    EXPECT_EQ(device.code({0x3E, 0x80}), 0xFF);  // it counts, and says nothing
    device.wait(4000);
    EXPECT_EQ(device.server->session(), uds::Session::kExtended);
    device.wait(6000);
    EXPECT_EQ(device.server->session(), uds::Session::kDefault);
    EXPECT_EQ(device.code({0x10, 4}), 0x12);
    EXPECT_EQ(device.code({0x10}), 0x13);
    EXPECT_EQ(device.code({0x10, 1, 0}), 0x13);
    EXPECT_EQ(device.code({0x10, 0x82}), 0xFF);
    EXPECT_EQ(device.server->session(), uds::Session::kProgramming);
}

TEST(UdsServer, ChecksComeInTheOrderOfTheStandard) {
    UdsBench device(true);
    EXPECT_EQ(device.code({0x23, 1, 2}), 0x11);     // no such service
    EXPECT_EQ(device.code({0x35, 0, 0x44}), 0x11);  // nothing comes out
    EXPECT_EQ(device.code({0x34}), 0x7F);           // session before length
    (void)device.ask({0x10, 2});
    EXPECT_EQ(device.code({0x34}), 0x13);                              // length before access
    EXPECT_EQ(device.code(UdsBench::download_request(0, 100)), 0x33);  // access before all else
    EXPECT_EQ(device.code({0x36, 1, 2}), 0x33);
    EXPECT_EQ(device.code({0x27, 0x13}), 0x12);
    EXPECT_EQ(device.code({0x31, 1, 0xF0, 2}), 0x33);
    (void)device.ask({0x10, 3});
    EXPECT_EQ(device.code({0x31, 1, 0xF0, 2}), 0x7E);
    EXPECT_EQ(device.code({0x27, 0x11}), 0x7F);
}

TEST(UdsServer, SaysWhatItIs) {
    UdsBench device;
    EXPECT_TRUE(
        (device.ask({0x22, 0xF1, 0x95}) == Buffer{0x62, 0xF1, 0x95, '1', '.', '0', '.', '0'}));
    // Several at once; the unknown one is left out.
    const Buffer several = device.ask({0x22, 0xF1, 0x8C, 0x12, 0x34, 0xF1, 0x91});
    EXPECT_EQ(several.size(), 1 + 2 + 9 + 2 + 13U);
    EXPECT_EQ(device.code({0x22, 0x12, 0x34}), 0x31);
    EXPECT_EQ(device.code({0x22, 0xF1}), 0x13);
    EXPECT_EQ(device.code({0x22, 0xF1, 0x95, 0xF1}), 0x13);
    Buffer many = {0x22};
    for (int i = 0; i < 20; ++i) many.insert(many.end(), {0xF1, 0xA0});
    EXPECT_EQ(device.code(many), 0x14);
    const Buffer components = device.ask({0x22, 0xF1, 0xA0});
    EXPECT_EQ(components.size(), 3 + 1 + 23U);
    const Buffer state = device.ask({0x22, 0xF1, 0xA2});
    EXPECT_EQ(state.size(), 3 + 8U);
}

TEST(UdsServer, WritesFingerprints) {
    UdsBench device;
    EXPECT_EQ(device.code({0x2E, 0xF1, 0x98, 'A', 'B'}), 0x7F);
    (void)device.ask({0x10, 2});
    Buffer fingerprint = {0x2E, 0xF1, 0x5A};
    fingerprint.resize(3 + 14, 7);
    EXPECT_EQ(device.code(fingerprint), 0);
    EXPECT_EQ(device.ask({0x22, 0xF1, 0x84}).back(), 7);
    fingerprint.pop_back();
    EXPECT_EQ(device.code(fingerprint), 0x13);
    EXPECT_EQ(device.code({0x2E, 0xF1, 0x95, '9'}), 0x31);  // not a thing to write
}

TEST(UdsServer, InstallsAnImageAndASuitPackage) {
    for (const bool is_suit : {false, true}) {
        UdsBench device;
        const Buffer package =
            is_suit
                ? test::make_package(test::app_and_config(image_of("1.1.0"), filled(301, 1), 100))
                : package_of("1.1.0");
        ASSERT_EQ(device.push(package), 0);
        EXPECT_EQ(device.code({0x31, 1, 0xFF, 1}), 0);
        EXPECT_TRUE((device.ask({0x11, 1}) == Buffer{0x51, 1}));
        ASSERT_TRUE(device.restarts());
        ASSERT_TRUE(device.restart_and_settle());
        EXPECT_TRUE(device.running_version() == "1.1.0");
        EXPECT_EQ(device.manager().snapshot().attempt.source, SourceKind::kCanbus);
    }
}

TEST(UdsServer, FileTransferIsAnotherWayIn) {
    UdsBench device;
    const Buffer package = package_of("1.1.0");
    (void)device.ask({0x10, 2});
    const std::string path = "/fw/package.bin";
    Buffer request = {0x38, 1, 0, static_cast<uint8_t>(path.size())};
    request.insert(request.end(), path.begin(), path.end());
    request.insert(request.end(), {0, 4, 0, 0, 0x80, 0, 0, 0, 0x80, 0});
    EXPECT_TRUE((device.ask(request) == Buffer{0x78, 1, 2, 0x08, 0x02, 0}));
    device.offered = package;
    ASSERT_EQ(device.send_until(10000), 0);
    // Resume: it says where.
    request[1] = 6;
    const Buffer resumed = device.ask(request);
    ASSERT_EQ(resumed.size(), 14U);
    EXPECT_EQ(load_be32(&resumed[10]), device.at);
    device.counter = 0;
    ASSERT_EQ(device.send_until(package.size()), 0);
    EXPECT_EQ(device.code({0x37}), 0);
    EXPECT_TRUE((device.ask({0x31, 1, 2, 2}) == Buffer{0x71, 1, 2, 2, 0}));
    request[4] = 'x';
    EXPECT_EQ(device.code(request), 0x31);
    request[1] = 5;
    EXPECT_EQ(device.code(request), 0x31);  // no directory to read
}

// ---------------------------------------------------------------- blocks

// pylessard/python-udsoncan#63, #82
TEST(UdsServer, CounterWrapsToZeroRepeatsAndDoesNotJump) {
    UdsBench device;
    const Buffer package = package_of("1.1.0");
    ASSERT_EQ(device.open(package), 0);
    bool wrapped = false;
    for (int i = 0; i < 300; ++i) {
        ASSERT_EQ(device.send_block(100), 0);
        wrapped = wrapped || device.counter == 0;
    }
    EXPECT_TRUE(wrapped);
    // The answer was lost.
    Buffer again = {0x36, device.counter};
    again.resize(102, 0xEE);
    EXPECT_TRUE((device.ask(again) == Buffer{0x76, device.counter}));
    again[1] = static_cast<uint8_t>(device.counter + 2);
    EXPECT_EQ(device.code(again), 0x73);
    again[1] = static_cast<uint8_t>(device.counter - 1);
    EXPECT_EQ(device.code(again), 0x73);
    ASSERT_EQ(device.send_until(package.size()), 0);  // that ended nothing
    EXPECT_EQ(device.code({0x37}), 0);
    EXPECT_TRUE((device.ask({0x31, 1, 2, 2}) == Buffer{0x71, 1, 2, 2, 0}));
}

TEST(FieldCase, J03_uds_block_that_comes_again_is_not_stored_again) {
    UdsBench device;
    const Buffer package = package_of("1.1.0");
    ASSERT_EQ(device.open(package), 0);
    ASSERT_EQ(device.send_until(6000), 0);
    Buffer again = {0x36, device.counter};
    again.resize(2050, 0xEE);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(device.code(again), 0);
    EXPECT_EQ(device.next_offset(), device.at);
    ASSERT_EQ(device.send_until(package.size()), 0);
    EXPECT_EQ(device.code({0x37}), 0);
    EXPECT_TRUE((device.ask({0x31, 1, 2, 2}) == Buffer{0x71, 1, 2, 2, 0}));
}

TEST(UdsServer, BlocksThatAreNotDue) {
    UdsBench device;
    const Buffer package = package_of("1.1.0");
    (void)device.ask({0x10, 2});
    EXPECT_EQ(device.code({0x36, 1, 0}), 0x24);  // nothing is open
    EXPECT_EQ(device.code({0x37}), 0x24);
    ASSERT_EQ(device.open(package), 0);
    EXPECT_EQ(device.code({0x36, 1}), 0x13);
    Buffer long_one = device.block_request();
    long_one.push_back(0);
    EXPECT_EQ(device.code(long_one), 0x13);
    EXPECT_EQ(device.code({0x37}), 0x24);  // bytes are missing
    EXPECT_EQ(device.code({0x37, 1}), 0x13);
    ASSERT_EQ(device.send_until(package.size() - 2048), 0);
    // Xaloqi/EDS#112: the last block is longer than what is left.
    Buffer beyond = device.block_request();
    ASSERT_EQ(beyond.size(), 2050U);
    device.offered.resize(package.size() + 10);
    ASSERT_EQ(device.send_block(2040), 0);
    beyond = device.block_request(2040);
    EXPECT_EQ(device.code(beyond), 0x71);
    EXPECT_EQ(device.next_offset(), package.size() - 8);  // nothing of it was taken
    EXPECT_EQ(device.code(beyond), 0x24);                 // and the transfer is over
    // It goes on where it was.
    device.offered = package;
    device.counter = 0;
    EXPECT_EQ(device.code(UdsBench::download_request(device.at, package.size() - device.at)), 0);
    ASSERT_EQ(device.send_until(package.size()), 0);
    EXPECT_EQ(device.code({0x37}), 0);
}

// pylessard/python-udsoncan#281
TEST(UdsServer, CompressionIsRefusedAndChangesNothing) {
    UdsBench device;
    const Buffer package = package_of("1.1.0");
    (void)device.ask({0x10, 2});
    Buffer request = UdsBench::download_request(0, package.size());
    request[1] = 0x10;
    EXPECT_EQ(device.code(request), 0x70);
    request[1] = 0;
    request[2] = 0x40;
    EXPECT_EQ(device.code(request), 0x31);
    request[2] = 0x45;
    EXPECT_EQ(device.code(request), 0x13);
    request[2] = 0x44;
    EXPECT_EQ(device.code(UdsBench::download_request(0, 0)), 0x31);
    EXPECT_EQ(device.code(UdsBench::download_request(4096, 1000)), 0x31);  // of nothing
    EXPECT_EQ(device.code(request), 0);
    EXPECT_TRUE((device.last == Buffer{0x74, 0x20, 0x08, 0x02}));
}

// eclipse-opensovd/classic-diagnostic-adapter#545
TEST(UdsServer, PackageThatIsRefusedByItsStartIsRefusedWithThatBlock) {
    for (const bool is_suit : {false, true}) {
        UdsBench device;
        Buffer package;
        if (is_suit) {
            package =
                test::make_package(test::app_and_config(image_of("1.1.0"), filled(300, 1), 100));
            package[60] ^= 1;  // in the signed part
        } else {
            package = package_of("0.9.0");
        }
        ASSERT_EQ(device.open(package), 0);
        uint8_t error = 0;
        int blocks = 0;
        while (error == 0 && device.at < package.size()) {
            error = device.send_block();
            ++blocks;
        }
        EXPECT_EQ(error, 0x72);
        EXPECT_LE(blocks, 2);
        const Buffer state = device.ask({0x22, 0xF1, 0xA2});
        EXPECT_NE(load_be16(&state[5]), 0U);   // why
        EXPECT_EQ(device.send_block(), 0x24);  // no further blocks
        ASSERT_EQ(device.push(package_of("1.2.0")), 0);
    }
}

TEST(UdsServer, BytesThatDoNotHoldAreAResultOfTheCheck) {
    UdsBench device;
    const Buffer package = package_of("1.1.0");
    ASSERT_EQ(device.open(package), 0);
    device.offered[20000] ^= 1;
    ASSERT_EQ(device.send_until(package.size()), 0);
    EXPECT_EQ(device.code({0x37}), 0);
    EXPECT_EQ(device.code({0x31, 1, 2, 2}), 0);
    ASSERT_EQ(device.last.size(), 7U);
    EXPECT_EQ(device.last[4], 1);
    EXPECT_EQ(device.code({0x11, 1}), 0x22);  // nothing to restart into
    ASSERT_EQ(device.push(package), 0);
}

TEST(UdsServer, ExitMayCarryTheDigest) {
    UdsBench device;
    const Buffer package = package_of("1.1.0");
    for (const bool right : {false, true}) {
        ASSERT_EQ(device.open(package), 0);
        ASSERT_EQ(device.send_until(package.size()), 0);
        Buffer exit = {0x37};
        Buffer digest = test::sha256(package);
        if (!right) digest[0] ^= 1;
        exit.insert(exit.end(), digest.begin(), digest.end());
        EXPECT_EQ(device.code(exit), right ? 0 : 0x72);
        EXPECT_EQ(device.code({0x10, 1}), 0);
        (void)device.post(CommandKind::kAbort);
        device.wait(1000);
    }
}

// ---------------------------------------------------------------- resume

TEST(UdsServer, GoesOnAfterItsSessionRanOut) {
    UdsBench device;
    const Buffer package = package_of("1.1.0", 64 * 1024);
    ASSERT_EQ(device.open(package), 0);
    ASSERT_EQ(device.send_until(30000), 0);
    const uint32_t at = device.at;
    device.wait(6000);
    EXPECT_EQ(device.server->session(), uds::Session::kDefault);
    EXPECT_EQ(device.send_block(), 0x7F);
    ASSERT_EQ(device.open(package, at), 0);
    ASSERT_EQ(device.send_until(package.size()), 0);
    EXPECT_EQ(device.code({0x37}), 0);
    EXPECT_TRUE((device.ask({0x31, 1, 2, 2}) == Buffer{0x71, 1, 2, 2, 0}));
}

TEST(UdsServer, GoesOnBehindWhatFlashHoldsAfterALossOfPower) {
    UdsBench device;
    const Buffer package = package_of("1.1.0", 64 * 1024);
    ASSERT_EQ(device.open(package), 0);
    ASSERT_EQ(device.send_until(50000), 0);
    ASSERT_TRUE(device.start_server());
    ASSERT_EQ(device.open(package), 0);
    ASSERT_EQ(device.send_block(), 0);  // the device looks at the start
    device.wait(1000);
    const uint32_t next = device.next_offset();
    EXPECT_GT(next, 30000U);
    device.counter = 0;
    device.at = next;
    EXPECT_EQ(device.code(UdsBench::download_request(next, package.size() - next)), 0);
    ASSERT_EQ(device.send_until(package.size()), 0);
    EXPECT_EQ(device.code({0x37}), 0);
    EXPECT_TRUE((device.ask({0x31, 1, 2, 2}) == Buffer{0x71, 1, 2, 2, 0}));
}

TEST(UdsServer, PlainToolsNeedNoDigest) {
    UdsBench device;
    const Buffer package = package_of("1.1.0");
    (void)device.ask({0x10, 2});
    EXPECT_EQ(device.code(UdsBench::download_request(0, package.size())), 0);
    device.offered = package;
    ASSERT_EQ(device.send_until(package.size()), 0);
    EXPECT_EQ(device.code({0x37}), 0);
    EXPECT_TRUE((device.ask({0x31, 1, 2, 2}) == Buffer{0x71, 1, 2, 2, 0}));
}

// Two images of one size: without a digest nobody knows which it is.
TEST(UdsServer, AnotherPackageOfTheSameSizeIsNotTakenForTheFirst) {
    UdsBench device;
    const Buffer first = package_of("1.1.0");
    const Buffer second = package_of("1.2.0");
    ASSERT_EQ(first.size(), second.size());
    for (const Buffer& package : {first, second}) {
        (void)device.ask({0x10, 2});
        EXPECT_EQ(device.code(UdsBench::download_request(0, package.size())), 0);
        device.offered = package;
        device.at = 0;
        device.counter = 0;
        ASSERT_EQ(device.send_until(package.size()), 0);
        EXPECT_EQ(device.code({0x37}), 0);
        EXPECT_TRUE((device.ask({0x31, 1, 2, 2}) == Buffer{0x71, 1, 2, 2, 0}));
    }
    EXPECT_EQ(device.code({0x11, 1}), 0);
    ASSERT_TRUE(device.restarts());
    ASSERT_TRUE(device.restart_and_settle());
    EXPECT_TRUE(device.running_version() == "1.2.0");
}

TEST(UdsServer, TransferEndsWhereAnotherLinkBindsAPackage) {
    UdsBench device;
    ASSERT_EQ(device.open(package_of("1.1.0", 64 * 1024)), 0);
    ASSERT_EQ(device.send_until(10000), 0);
    for (int i = 0; i < 20; ++i) {  // alive, and silent
        device.wait(4000);
        (void)device.ask({0x3E, 0});
    }
    const Buffer other = package_of("1.2.0");
    PushOffer offer;
    offer.size = static_cast<uint32_t>(other.size());
    offer.digest.fill(7);
    EXPECT_TRUE(
        device.desk->open(SourceKind::kModbus, offer, {.replaces = true}).is(Code::kTryAgain));
    device.wait(3000);
    EXPECT_TRUE(device.desk->has_package());
    EXPECT_EQ(device.send_block(), 0x24);
    EXPECT_EQ(device.desk->next_offset(), 0U);  // nothing of it came in there
    EXPECT_EQ(device.code({0x37}), 0x24);
    EXPECT_EQ(device.code({0x10, 1}), 0);
    EXPECT_TRUE(device.desk->has_package());  // nor was it aborted
}

TEST(UdsServer, OrderWhileTheOtherBusHasOneIsBusyAtOnce) {
    UdsBench device;
    ASSERT_EQ(device.push(package_of("1.1.0")), 0);
    EXPECT_TRUE(device.desk->order(PushDesk::Order::kApply, 3600000).is(Code::kTryAgain));
    EXPECT_EQ(device.code({0x31, 1, 2, 2}), 0x21);
    EXPECT_EQ(device.pending, 0);
    EXPECT_TRUE(
        device.desk->order(PushDesk::Order::kApply, PushDesk::kLongestDelay + 1).is(Code::kBusy));
}

TEST(UdsServer, CheckIsNotPendingForEverWhileTheBatteryIsRed) {
    UdsBench device;
    const Buffer package = package_of("1.1.0");
    ASSERT_EQ(device.open(package), 0);
    ASSERT_EQ(device.send_until(package.size() - 2048), 0);
    device.battery.values.soc_percent = 10;
    device.wait(1000);
    ASSERT_EQ(device.send_block(), 0);
    EXPECT_EQ(device.code({0x37}), 0);
    const Millis begin = device.clock.now();
    EXPECT_EQ(device.code({0x31, 1, 2, 2}), 0x93);
    EXPECT_LE(device.clock.now() - begin, 32000U);
}

TEST(UdsServer, BusyWhereAnUpdateIsInHand) {
    UdsBench device;
    device.source.package = package_of("1.3.0");
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_to(State::kReadyToApply));
    EXPECT_EQ(device.open(package_of("1.1.0")), 0x21);
}

// ---------------------------------------------------------------- time and battery

TEST(UdsServer, PendingIsToldBeforeP2AndAgainInTime) {
    UdsBench device;
    const Buffer package = package_of("1.1.0", 64 * 1024);
    ASSERT_EQ(device.open(package), 0);
    ASSERT_EQ(device.send_until(20000), 0);
    device.battery.values.soc_percent = 10;
    device.wait(1000);
    // The window is still free for a few blocks; then one is pending until the battery is said.
    Millis began = 0;
    uint8_t error = 0;
    while (error == 0) {
        began = device.clock.now();
        error = device.send_block();
    }
    EXPECT_EQ(error, 0x93);
    EXPECT_GE(device.clock.now() - began, 30000U);
    EXPECT_LE(device.clock.now() - began, 32000U);
    EXPECT_GE(device.pending, 15);
    EXPECT_LE(device.pending, 17);
    // Parked: it goes on when the battery is green.
    device.battery.values.soc_percent = 80;
    device.wait(1000);
    const uint32_t next = device.next_offset();
    ASSERT_EQ(device.open(package, next), 0);
    ASSERT_EQ(device.send_until(package.size()), 0);
    EXPECT_EQ(device.code({0x37}), 0);
    EXPECT_TRUE((device.ask({0x31, 1, 2, 2}) == Buffer{0x71, 1, 2, 2, 0}));
}

// pylessard/python-udsoncan#128, #255; Fraunhofer-AISEC/gallia#676
TEST(UdsServer, SignOfLifeWhileAnAnswerIsPendingDisturbsNothing) {
    UdsBench device;
    const Buffer package = package_of("1.1.0", 64 * 1024);
    ASSERT_EQ(device.open(package), 0);
    ASSERT_EQ(device.send_until(20000), 0);
    device.battery.values.soc_percent = 10;
    device.wait(1000);
    while (true) {
        const Buffer request = device.block_request();
        device.asked = request;
        device.server->take(device.asked, false);
        device.desk->poll();
        device.server->poll();
        if (device.server->is_pending()) break;
        ++device.counter;
        device.at += 2048;
        (void)device.server->next_answer();
    }
    const Buffer alive = {0x3E, 0x80};
    for (int i = 0; i < 5; ++i) {
        device.wait(1000);
        device.server->take(alive, true);
        EXPECT_TRUE(device.server->is_pending());
    }
    device.battery.values.soc_percent = 80;
    (void)device.run_until([&] {
        device.desk->poll();
        device.server->poll();
        const Bytes answer = device.server->next_answer();
        return answer.size() == 2 && answer[0] == 0x76;
    });
    EXPECT_FALSE(device.server->is_pending());
    EXPECT_EQ(device.server->session(), uds::Session::kProgramming);  // its timer stood still
}

TEST(UdsServer, PreconditionsSayWhichReading) {
    UdsBench device;
    (void)device.ask({0x10, 3});
    EXPECT_TRUE((device.ask({0x31, 1, 2, 3}) == Buffer{0x71, 1, 2, 3, 0, 0, 0}));
    device.battery.values.t_max_millicelsius = 60000;
    device.wait(3000);
    EXPECT_TRUE((device.ask({0x31, 1, 2, 3}) == Buffer{0x71, 1, 2, 3, 1, 0, 2}));
    EXPECT_EQ(device.code({0x31, 2, 2, 3}), 0x12);
    EXPECT_EQ(device.code({0x31, 3, 0xF0, 1}), 0);
    EXPECT_EQ(device.last.size(), 4 + 8U);
    EXPECT_EQ(device.code({0x31, 1, 0x12, 0x34}), 0x7E);
}

TEST(UdsServer, WhatProtectsTheBatteryIsNotSilenced) {
    UdsBench device;
    (void)device.ask({0x10, 3});
    EXPECT_EQ(device.code({0x28, 3, 1}), 0x22);
    EXPECT_EQ(device.code({0x28, 1, 1}), 0x22);
    EXPECT_EQ(device.code({0x28, 0, 1}), 0);
    EXPECT_EQ(device.code({0x28, 4, 1}), 0x12);
    EXPECT_EQ(device.code({0x85, 2}), 0);
    EXPECT_EQ(device.code({0x85, 3}), 0x12);
}

// hartkopp/can-isotp#69, driftregion/iso14229#14, pylessard/python-udsoncan#88
TEST(UdsServer, FunctionalRequestsAreNotAnsweredWithWhatOthersMayKnow) {
    UdsBench device;
    EXPECT_EQ(device.code({0x10, 3}, true), 0);
    EXPECT_EQ(device.code({0x23, 1}, true), 0xFF);
    EXPECT_EQ(device.code({0x10, 9}, true), 0xFF);
    EXPECT_EQ(device.code({0x22, 0x12, 0x34}, true), 0xFF);
    EXPECT_EQ(device.code({0x34, 0, 0x44, 0}, true), 0xFF);
    EXPECT_EQ(device.code({0x3E, 0x80}, true), 0xFF);
    EXPECT_EQ(device.code({0x28, 3, 1}, true), 0x22);
    EXPECT_EQ(device.code({0x85, 0x82}, true), 0xFF);
}

TEST(UdsServer, TrialIsConfirmedAndRolledBackByRoutine) {
    for (const bool keep : {true, false}) {
        UdsBench device;
        ASSERT_EQ(device.push(package_of("1.1.0")), 0);
        EXPECT_EQ(device.code({0x31, 1, 0xF0, 2}), 0);
        ASSERT_TRUE(device.restarts());
        device.probe.health = Health::kPending;
        ASSERT_TRUE(device.start_server(ResetReason::kSoftware));
        EXPECT_EQ(device.open(package_of("1.2.0")), 0x22);
        EXPECT_EQ(device.code({0x31, 1, 0xF0, static_cast<uint8_t>(keep ? 3 : 4)}), 0);
        if (keep) {
            EXPECT_FALSE(device.manager().snapshot().trial);
        } else {
            (void)device.run_until([&] { return device.restart.requested; });
            ASSERT_TRUE(device.boot(ResetReason::kSoftware));
            EXPECT_TRUE(device.running_version() == "1.0.0");
        }
    }
}

}  // namespace
}  // namespace ota
