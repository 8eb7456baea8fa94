// Modbus requests as they come from a serial line and from TCP.
#include <deque>

#include "linux/clock_virtual.hpp"
#include "sources/modbus/rtu_link.hpp"
#include "sources/modbus/tcp_link.hpp"
#include "support/image_factory.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

using test::Buffer;

// A line on which bytes come when a test says so.
class FakeLine final : public SerialPort {
  public:
    Status open(const SerialConfig& config) override {
        opened = config;
        return {};
    }
    Result<size_t> read(MutableBytes out) override {
        const size_t count = std::min(out.size(), incoming.size());
        std::copy_n(incoming.begin(), count, out.begin());
        incoming.erase(incoming.begin(), incoming.begin() + static_cast<long>(count));
        return count;
    }
    Result<size_t> write(Bytes bytes) override {
        const size_t count = std::min(bytes.size(), takes);
        outgoing.insert(outgoing.end(), bytes.begin(), bytes.begin() + static_cast<long>(count));
        return count;
    }
    void close() override {}

    SerialConfig opened;
    Buffer incoming;
    Buffer outgoing;
    size_t takes = 1000;
};

Buffer rtu(uint8_t unit, const Buffer& pdu) {
    Buffer out(kModbusRtuFrame);
    out.resize(write_rtu({unit, pdu}, out));
    return out;
}

struct RtuBench {
    explicit RtuBench(uint32_t baud = 9600) : link(line, clock, {1, {"line", baud, {}}, 0}) {}
    size_t receive() {
        Buffer pdu(kModbusRequest);
        const Result<size_t> size = link.receive(pdu, target);
        EXPECT_TRUE(size.ok());
        return size.ok() ? *size : 0;
    }
    void put(Bytes bytes) { line.incoming.insert(line.incoming.end(), bytes.begin(), bytes.end()); }

    VirtualClock clock;
    FakeLine line;
    RtuLink link;
    ModbusTarget target;
};

const Buffer kRead = {3, 0x1F, 0x40, 0, 2};

// ljean/modbus-tk#13, pymodbus-dev/pymodbus#1278
TEST(ModbusRtuLink, FrameMayComeInPiecesWithLessThanASilenceBetween) {
    const Buffer frame = rtu(1, kRead);
    for (size_t split = 1; split < frame.size(); ++split) {
        RtuBench bench;
        bench.put(Bytes(frame).first(split));
        EXPECT_EQ(bench.receive(), 0U);
        bench.clock.advance_micros(rtu_silence(9600) - 100);
        bench.put(Bytes(frame).subspan(split));
        EXPECT_EQ(bench.receive(), 0U);
        EXPECT_EQ(bench.receive(), 0U);  // no silence yet
        EXPECT_TRUE(bench.link.is_receiving());
        bench.clock.advance_micros(rtu_silence(9600));
        EXPECT_EQ(bench.receive(), kRead.size());
        EXPECT_FALSE(bench.link.is_receiving());
    }
}

TEST(ModbusRtuLink, HalfAFrameIsForgottenAfterASilence) {
    const Buffer frame = rtu(1, kRead);
    RtuBench bench;
    bench.put(Bytes(frame).first(5));
    (void)bench.receive();
    bench.clock.advance_micros(rtu_silence(9600));
    EXPECT_EQ(bench.receive(), 0U);
    bench.put(frame);
    (void)bench.receive();
    bench.clock.advance_micros(rtu_silence(9600));
    EXPECT_EQ(bench.receive(), kRead.size());
}

TEST(ModbusRtuLink, AnswersWithTheUnitOfTheRequestAndInPieces) {
    RtuBench bench;
    bench.put(rtu(0, kRead));
    (void)bench.receive();
    bench.clock.advance_micros(rtu_silence(9600));
    EXPECT_EQ(bench.receive(), kRead.size());
    EXPECT_TRUE(bench.target.is_broadcast);
    bench.put(rtu(1, kRead));
    (void)bench.receive();
    bench.clock.advance_micros(rtu_silence(9600));
    EXPECT_EQ(bench.receive(), kRead.size());
    EXPECT_FALSE(bench.target.is_broadcast || bench.target.is_direct);
    // A driver with little room.
    bench.line.takes = 3;
    const Buffer answer = {3, 4, 1, 2, 3, 4};
    EXPECT_TRUE(bench.link.answer(answer).ok());
    for (int i = 0; i < 5; ++i) (void)bench.receive();
    EXPECT_TRUE(bench.line.outgoing == rtu(1, answer));
}

// stephane/libmodbus#279, smarmengol/Modbus-Master-Slave-for-Arduino#40
TEST(FieldCase, G05_longest_frame_comes_byte_by_byte) {
    for (const uint32_t baud : {9600U, 115200U}) {
        RtuBench bench(baud);
        Buffer pdu = {16, 0x20, 0x08, 0, 123, 246};
        pdu.resize(pdu.size() + 246, 9);
        for (const uint8_t byte : rtu(1, pdu)) {
            bench.put(Bytes(&byte, 1));
            EXPECT_EQ(bench.receive(), 0U);
            bench.clock.advance_micros(11000000 / baud);
            EXPECT_EQ(bench.receive(), 0U);
        }
        bench.clock.advance_micros(rtu_silence(baud));
        EXPECT_EQ(bench.receive(), pdu.size());
    }
}

// ---------------------------------------------------------------- TCP

class FakeServer final : public StreamServer {
  public:
    Status listen(uint16_t) override { return {}; }
    Result<size_t> read(size_t place, MutableBytes out) override {
        if (gone[place]) {
            gone[place] = false;
            return Status{Code::kUnavailable, Origin::kPlatform};
        }
        std::deque<Buffer>& queue = incoming[place];
        if (queue.empty()) return size_t{0};
        const Buffer piece = queue.front();
        queue.pop_front();
        EXPECT_LE(piece.size(), out.size());
        std::copy(piece.begin(), piece.end(), out.begin());
        return piece.size();
    }
    Status write(size_t place, Bytes bytes) override {
        answers.emplace_back(place, Buffer(bytes.begin(), bytes.end()));
        return {};
    }
    void drop(size_t place) override { dropped.push_back(place); }
    void close() override {}

    std::array<std::deque<Buffer>, kPlaces> incoming;
    std::array<bool, kPlaces> gone{};
    std::vector<std::pair<size_t, Buffer>> answers;
    std::vector<size_t> dropped;
};

Buffer mbap(uint16_t transaction, const Buffer& pdu) {
    Buffer out(kModbusTcpFrame);
    out.resize(write_mbap({transaction, 1, pdu}, out));
    return out;
}

struct TcpBench {
    // Answers with the request until there is none.
    size_t serve() {
        size_t count = 0;
        Buffer pdu(kModbusRequest);
        ModbusTarget target;
        while (true) {
            const Result<size_t> size = link.receive(pdu, target);
            if (!size.ok() || *size == 0) return count;
            EXPECT_TRUE(target.is_direct);
            EXPECT_TRUE(link.answer(Bytes(pdu).first(*size)).ok());
            ++count;
        }
    }
    FakeServer server;
    TcpLink link{server};
};

TEST(FieldCase, G09_two_requests_in_one_segment_and_one_in_eight) {
    TcpBench bench;
    Buffer both = mbap(1, kRead);
    const Buffer second = mbap(65535, kRead);
    both.insert(both.end(), second.begin(), second.end());
    bench.server.incoming[2].push_back(both);
    EXPECT_EQ(bench.serve(), 2U);
    EXPECT_TRUE(bench.server.answers[0].second == mbap(1, kRead));
    EXPECT_TRUE(bench.server.answers[1].second == second);
    const Buffer one = mbap(256, kRead);
    for (size_t at = 0; at < one.size(); ++at) bench.server.incoming[1].push_back({one[at]});
    for (size_t i = 0; i <= one.size(); ++i) (void)bench.serve();
    ASSERT_EQ(bench.server.answers.size(), 3U);
    EXPECT_EQ(bench.server.answers[2].first, 1U);
    EXPECT_TRUE(bench.server.answers[2].second == one);
}

TEST(ModbusTcpLink, MastersTakeTurnsAndOneThatTalksNonsenseIsDropped) {
    TcpBench bench;
    Buffer nonsense = mbap(1, kRead);
    nonsense[2] = 0xFF;
    for (size_t place = 0; place < StreamServer::kPlaces; ++place) {
        bench.server.incoming[place].push_back(place == 3 ? nonsense : mbap(7, kRead));
    }
    EXPECT_EQ(bench.serve(), 3U);
    EXPECT_TRUE(bench.server.dropped == std::vector<size_t>{3});
}

TEST(ModbusTcpLink, WhatAMasterLeftHalfIsNotTheNextOnes) {
    TcpBench bench;
    bench.server.incoming[0].push_back({0, 1, 0, 0, 0});
    EXPECT_EQ(bench.serve(), 0U);
    bench.server.gone[0] = true;  // somebody else sits there now
    EXPECT_EQ(bench.serve(), 0U);
    bench.server.incoming[0].push_back(mbap(9, kRead));
    EXPECT_EQ(bench.serve(), 1U);
    EXPECT_TRUE(bench.server.answers[0].second == mbap(9, kRead));
}

}  // namespace
}  // namespace ota
