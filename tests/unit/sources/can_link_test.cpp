// Updates over a CAN bus, frame by frame: a tester, the bus, ISO-TP, the UDS server, the engine.
#include "sources/can/can_link.hpp"

#include "install/uds_client.hpp"
#include "sources/can/slcan_bus.hpp"
#include "support/can_wire.hpp"
#include "uds_bench.hpp"

namespace ota {
namespace {

struct CanBench : UdsBench {
    explicit CanBench(bool fd = false, uint8_t block_size = 8, uint8_t separation = 0)
        : wire(clock, 500000, 2000000) {
        config.address = IsoTpAddress::normal_fixed(0x10, 0xF1, 7, 0x33);
        config.is_fd = fd;
        config.block_size = block_size;
        config.separation = separation;
        client_config.address = IsoTpAddress::normal_fixed(0xF1, 0x10, 7);
        client_config.buffer = buffer;
        client_config.frame_size = fd ? 64 : 8;
        client_config.p2 = 300;  // the loop of this bench is coarse
        restart_link();
    }
    void restart_link() {
        link.emplace(node, *server, clock, config);
        client.emplace(tester, clock, client_config);
    }
    // A millisecond, or up to the next frame's end, whichever comes first.
    void tick() {
        wire.run();
        desk->poll();
        if (clock.micros() >= std::max(stalled_until, rests() ? rests_until : 0)) {
            (void)link->poll(32);
            rests_until = clock.micros() + longest_rest;
        }
        const uint64_t next = std::min(wire.due(), clock.micros() + 500);
        if (clock.micros() >= engine_at) {
            (void)manager().step(0);
            engine_at = clock.micros() + 1000;
        }
        clock.advance_micros(std::max<uint64_t>(next - clock.micros(), 10));
    }
    // As the links' task does: until a frame comes, but no longer than that.
    bool rests() const { return !link->is_busy() && node.incoming.empty(); }
    Status exchange(const Buffer& request, Millis patience = 120000) {
        sent_request = request;
        client->start(sent_request, patience);
        Status status;
        for (int i = 0; i < 2000000; ++i) {
            status = client->poll();
            if (!status.is(Code::kTryAgain)) return status;
            tick();
        }
        return status;
    }
    // As often as it takes, up to three times: what a tester does when an answer is lost.
    bool insist(const Buffer& request) {
        for (int i = 0; i < 4; ++i) {
            if (exchange(request).ok()) return true;
            if (!client->is_busy() && client->code() != uds::Nrc::kNone) return false;
            ++repeats;
        }
        return false;
    }
    bool push_over_the_bus(const Buffer& package) {
        offered = package;
        at = 0;
        counter = 0;
        if (!insist({0x10, 2}) || !insist(announcement(package)) ||
            !insist(download_request(0, package.size()))) {
            return false;
        }
        size_t most = 2048;
        while (at < package.size()) {
            const Buffer block = block_request(most);
            const Status sent = exchange(block);
            if (sent.is(Code::kRefused)) return false;
            // A long message never gets through a bus that loses frames; was it the answer?
            if (!sent.ok()) {
                ++repeats;
                most = std::max<size_t>(most / 2, 64);
                if (!insist({0x22, 0xF1, 0xA1})) return false;
                if (load_be32(&client->answer()[3 + 36]) == at) continue;
            }
            ++counter;
            at += static_cast<uint32_t>(block.size() - 2);
        }
        if (!insist({0x37})) return false;
        if (!insist({0x31, 1, 2, 2})) return false;
        const Bytes answer = client->answer();
        return answer.size() == 5 && answer[4] == 0;
    }

    test::CanWire wire;
    test::CanNode node{wire};
    test::CanNode tester{wire};
    CanLink::Config config;
    UdsClient::Config client_config;
    std::array<uint8_t, 600> buffer{};
    std::optional<CanLink> link;
    std::optional<UdsClient> client;
    Buffer sent_request;
    uint64_t engine_at = 0;
    uint64_t stalled_until = 0;  // its task does not run
    uint64_t longest_rest = 0;   // µs; 0: it polls all the time
    uint64_t rests_until = 0;
    int repeats = 0;
};

TEST(CanUpdate, ClassicAndFd) {
    for (const bool fd : {false, true}) {
        CanBench device(fd);
        ASSERT_TRUE(device.push_over_the_bus(package_of("1.1.0")));
        EXPECT_EQ(device.repeats, 0);
        ASSERT_TRUE(device.insist({0x11, 1}));
        for (int i = 0; i < 100000 && !device.restart.requested; ++i) device.tick();
        ASSERT_TRUE(device.restart_and_settle());
        EXPECT_TRUE(device.running_version() == "1.1.0");
    }
}

// A rest costs no time: whatever has to be done by the millisecond keeps the link busy.
TEST(CanUpdate, RestsBetweenMessagesAlone) {
    std::array<uint64_t, 2> took{};
    for (const uint64_t rest : {0U, 500000U}) {
        CanBench device;
        device.longest_rest = rest;
        EXPECT_FALSE(device.link->is_busy());
        const uint64_t begin = device.clock.micros();
        ASSERT_TRUE(device.push_over_the_bus(package_of("1.1.0")));
        EXPECT_EQ(device.repeats, 0);
        EXPECT_FALSE(device.link->is_busy());
        took[rest == 0 ? 0 : 1] = device.clock.micros() - begin;
    }
    EXPECT_EQ(took[0], took[1]);
}

// pylessard/python-udsoncan#93; fieldbus.md §7: the loss of 1 % of frames leaves the same image.
TEST(FieldCase, F12_every_hundredth_frame_is_lost) {
    CanBench device;
    uint32_t count = 0;
    device.wire.loses = [&](const CanFrame&) { return ++count % 100 == 0; };
    device.client_config.p2 = 1500;  // a flow control that is lost shows after N_Bs
    device.restart_link();
    ASSERT_TRUE(device.push_over_the_bus(package_of("1.1.0", 24 * 1024)));
    EXPECT_GT(device.repeats, 0);
    EXPECT_EQ(device.state(), State::kReadyToApply);
}

TEST(CanUpdate, TransferTakesNoMoreOfTheBusThanItMay) {
    EXPECT_EQ(separation_for(500000, 100), 0);
    EXPECT_EQ(separation_for(500000, 30), 0xF7);  // 630 µs after each frame of 270
    EXPECT_EQ(separation_for(500000, 80), 0xF1);
    EXPECT_EQ(separation_for(250000, 30), 2);  // above 900 µs it counts milliseconds
    EXPECT_EQ(separation_for(500000, 1), 27);
    EXPECT_EQ(separation_for(10000, 1), 0x7F);
    CanBench device(false, 8, separation_for(500000, 30));
    const Micros begin = device.clock.micros();
    device.wire.busy_micros = 0;
    ASSERT_TRUE(device.push_over_the_bus(package_of("1.1.0")));
    const auto load = device.wire.busy_micros * 100 / (device.clock.micros() - begin);
    EXPECT_LE(load, 32U);
    EXPECT_GE(load, 15U);
}

TEST(CanUpdate, StrangersOnTheBusAreIgnored) {
    CanBench device;
    const Buffer package = package_of("1.1.0");
    test::CanNode other(device.wire);
    int noise = 0;
    device.wire.loses = [&](const CanFrame&) {
        CanFrame frame;
        frame.id = ++noise % 3 == 0 ? 0x351U : 0x1CDA10F2;  // an inverter's, another tester's
        frame.is_29_bit = frame.id > 0x7FF;
        frame.size = 8;
        frame.data[0] = static_cast<uint8_t>(noise);
        if (noise % 7 == 0) (void)other.send(frame);
        return false;
    };
    ASSERT_TRUE(device.push_over_the_bus(package));
    EXPECT_EQ(device.repeats, 0);
}

// espressif/esp-idf#5738, #18084, #9697; fieldbus.md §7 row 16. While flash is erased on a chip
// whose interrupts are off, nobody takes frames out of the queue: the tester waits after a block
// of 8.
TEST(CanUpdate, StallsOfFlashErasureLoseNoFrame) {
    CanBench device;
    device.node.depth = 8 + 4;
    uint64_t next = 0;
    device.wire.loses = [&](const CanFrame&) {
        const uint64_t now = device.clock.micros();
        if (now < next) return false;
        device.stalled_until = now + 45000 + now % 255000;
        next = device.stalled_until + 20000;
        return false;
    };
    ASSERT_TRUE(device.push_over_the_bus(package_of("1.1.0")));
    EXPECT_EQ(device.node.lost, 0U);
    EXPECT_EQ(device.repeats, 0);
}

// Bus-off, or a cable: what was taken stays, and the transfer goes on.
TEST(CanUpdate, BusThatGoesOffIsTakenUp) {
    CanBench device;
    uint64_t frames = 0;
    device.wire.loses = [&](const CanFrame&) {
        if (++frames % 900 == 0) {
            device.wire.is_off = true;
        }
        return false;
    };
    const Buffer package = package_of("1.1.0");
    ASSERT_TRUE(device.insist({0x10, 2}) && device.insist(device.announcement(package)) &&
                device.insist(device.download_request(0, package.size())));
    device.offered = package;
    device.at = 0;
    device.counter = 0;
    int outages = 0;
    while (device.at < package.size()) {
        const Buffer block = device.block_request(2048);
        const Status sent = device.exchange(block);
        if (!sent.ok()) {
            ASSERT_FALSE(sent.is(Code::kRefused));
            ++outages;
            for (int i = 0; i < 20000; ++i) device.tick();  // ten seconds: its session is over
            device.wire.is_off = false;
            for (int i = 0; i < 10; ++i) device.tick();  // what the drivers have still goes out
            ASSERT_TRUE(device.insist({0x10, 2}) && device.insist({0x22, 0xF1, 0xA1}));
            device.at = load_be32(&device.client->answer()[3 + 36]);
            ASSERT_TRUE(
                device.insist(device.download_request(device.at, package.size() - device.at)));
            device.counter = 0;
            continue;
        }
        ++device.counter;
        device.at += static_cast<uint32_t>(block.size() - 2);
    }
    EXPECT_GE(outages, 3);
    ASSERT_TRUE(device.insist({0x37}) && device.insist({0x31, 1, 2, 2}));
    EXPECT_EQ(device.client->answer()[4], 0);
}

TEST(UdsClient, AnswersOfOthersAndLateOnesAreNotTaken) {
    CanBench device;
    EXPECT_TRUE(device.exchange({0x22, 0xF1, 0x95}).ok());
    EXPECT_EQ(device.client->answer().size(), 8U);
    EXPECT_TRUE(device.exchange({0x22, 0x12, 0x34}).is(Code::kRefused));
    EXPECT_EQ(device.client->code(), uds::Nrc::kRange);
    // Nobody is there.
    device.wire.loses = [](const CanFrame& frame) { return frame.id == 0x1CDAF110; };
    const Millis begin = device.clock.now();
    EXPECT_TRUE(device.exchange({0x3E, 0}).is(Code::kTimeout));
    EXPECT_LT(device.clock.now() - begin, 1000U);
    // A long request that nobody asks to go on, and one that does not get on the bus.
    device.wire.loses = [](const CanFrame&) { return true; };
    EXPECT_TRUE(device.exchange(Buffer(100, 0x2E)).is(Code::kTimeout));
    device.wire.is_off = true;
    EXPECT_TRUE(device.exchange(Buffer(100, 0x2E)).is(Code::kUnavailable));
}

// ---------------------------------------------------------------- a serial CAN adapter

class FakeAdapter final : public SerialPort {
  public:
    Status open(const SerialConfig&) override { return {}; }
    Result<size_t> read(MutableBytes out) override {
        const size_t count = std::min({out.size(), incoming.size(), piece});
        std::copy_n(incoming.begin(), count, out.begin());
        incoming.erase(0, count);
        return count;
    }
    Result<size_t> write(Bytes bytes) override {
        outgoing.append(bytes.begin(), bytes.end());
        return bytes.size();
    }
    void close() override {}
    std::string incoming;
    std::string outgoing;
    size_t piece = 1000;
};

TEST(Slcan, LinesAndFramesAreTheSame) {
    const std::pair<std::string, CanFrame> cases[] = {
        {"t1234DEADBEEF", {0x123, false, false, false, 4, {0xDE, 0xAD, 0xBE, 0xEF}}},
        {"T1CDA10F120210", {0x1CDA10F1, true, false, false, 2, {0x02, 0x10}}},
        {"r7FF8", {0x7FF, false, false, true, 8, {}}},
        {"R000000010", {1, true, false, true, 0, {}}},
    };
    for (const auto& [line, frame] : cases) {
        CanFrame parsed;
        ASSERT_TRUE(parse_slcan(line, parsed));
        EXPECT_EQ(parsed.id, frame.id);
        EXPECT_EQ(parsed.size, frame.size);
        EXPECT_EQ(parsed.is_29_bit, frame.is_29_bit);
        EXPECT_EQ(parsed.is_remote, frame.is_remote);
        EXPECT_TRUE(parsed.data == frame.data);
        EXPECT_TRUE(write_slcan(frame).view() == line);
    }
    CanFrame fd;
    EXPECT_TRUE(parse_slcan("B000000019" + std::string(24, 'A'), fd));
    EXPECT_EQ(fd.size, 12);
    EXPECT_TRUE(write_slcan(fd).view() == "D000000019" + std::string(24, 'A') ||
                write_slcan(fd).view() == "B000000019" + std::string(24, 'A'));
    EXPECT_TRUE(parse_slcan("t12301234", fd));  // with the adapter's time
    for (const char* bad : {"", "t", "t12", "t123", "t1239", "t1231A", "t8000", "T200000000",
                            "tXYZ0", "t7E0C000102030405060708090A0B", "z", "t12311", "t1231123"}) {
        EXPECT_FALSE(parse_slcan(bad, fd));
    }
    EXPECT_EQ(slcan_rate(500000), "S6");
    EXPECT_TRUE(slcan_rate(123).empty());
}

TEST(Slcan, AdapterIsSetUpAndItsLinesComeInPieces) {
    FakeAdapter adapter;
    SlcanBus bus(adapter);
    CanConfig config;
    config.interface = "line";
    EXPECT_TRUE(bus.open(config).ok());
    EXPECT_TRUE(adapter.outgoing == "C\rS6\rO\r");
    adapter.outgoing.clear();
    CanFrame frame;
    frame.id = 0x123;
    frame.size = 1;
    EXPECT_TRUE(bus.send(frame).ok());
    EXPECT_TRUE(adapter.outgoing == "t123100\r");
    for (const size_t piece : {size_t{1}, size_t{1000}}) {
        adapter.piece = piece;
        adapter.incoming = "z\r\a" + std::string(1000, 'x') + "\rt7E012\rt7E0255AA\rt123";
        int frames = 0;
        for (int i = 0; i < 1200; ++i) {
            const Result<bool> came = bus.receive(frame);
            if (came.ok() && *came) ++frames;
        }
        EXPECT_EQ(frames, 1);
        EXPECT_EQ(frame.id, 0x7E0U);
        EXPECT_EQ(frame.data[1], 0xAA);
        adapter.incoming = "0\r";
        while (!adapter.incoming.empty()) (void)bus.receive(frame);
    }
    config.bitrate = 77;
    EXPECT_FALSE(bus.open(config).ok());
}

}  // namespace
}  // namespace ota
