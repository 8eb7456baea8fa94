// Modbus requests and frames: what the standards allow, and what peers get wrong.
#include "support/image_factory.hpp"
#include "support/test.hpp"
#include "wire/modbus_frame.hpp"

namespace ota {
namespace {

using test::Buffer;
using Exception = ModbusException;

Exception parse(const Buffer& pdu) {
    ModbusRequest request;
    return parse_modbus_request(pdu, request);
}

Buffer write_many(uint16_t address, uint16_t count) {
    Buffer out = {16,
                  static_cast<uint8_t>(address >> 8),
                  static_cast<uint8_t>(address),
                  static_cast<uint8_t>(count >> 8),
                  static_cast<uint8_t>(count),
                  static_cast<uint8_t>(count * 2)};
    out.resize(out.size() + size_t{count} * 2, 7);
    return out;
}

Buffer read_request(uint8_t function, uint16_t address, uint16_t count) {
    return {function, static_cast<uint8_t>(address >> 8), static_cast<uint8_t>(address),
            static_cast<uint8_t>(count >> 8), static_cast<uint8_t>(count)};
}

TEST(ModbusPdu, CountsAreWithinTheirLimits) {
    EXPECT_EQ(parse(read_request(3, 0, 0)), Exception::kValue);
    EXPECT_EQ(parse(read_request(3, 0, 1)), Exception::kNone);
    EXPECT_EQ(parse(read_request(4, 0, 125)), Exception::kNone);
    EXPECT_EQ(parse(read_request(4, 0, 126)), Exception::kValue);
    EXPECT_EQ(parse(read_request(3, 0xFFFF, 1)), Exception::kNone);
    EXPECT_EQ(parse(read_request(3, 0xFFFF, 2)), Exception::kAddress);
    // espressif/esp-modbus#143
    for (const uint16_t count : std::initializer_list<uint16_t>{1, 120, 121, 123}) {
        EXPECT_EQ(parse(write_many(0, count)), Exception::kNone);
    }
    EXPECT_EQ(parse(write_many(0, 124)), Exception::kValue);
    EXPECT_EQ(parse(write_many(0, 0)), Exception::kValue);
    EXPECT_EQ(parse(write_many(0xFFFF, 2)), Exception::kAddress);
}

TEST(ModbusPdu, EachLengthHasToBeTheRightOne) {
    const Buffer good[] = {read_request(3, 0, 1),
                           {6, 0, 1, 0, 2},
                           write_many(8200, 5),
                           {20, 7, 6, 0, 1, 0, 0, 0, 2},
                           {21, 9, 6, 0, 1, 0, 0, 0, 1, 1, 2},
                           {23, 0, 0, 0, 1, 0, 0, 0, 1, 2, 1, 2},
                           {43, 14, 1, 0}};
    for (Buffer pdu : good) {
        EXPECT_EQ(parse(pdu), Exception::kNone);
        pdu.push_back(0);
        EXPECT_NE(parse(pdu), Exception::kNone);
        pdu.pop_back();
        while (pdu.size() > 1) {
            pdu.pop_back();
            EXPECT_NE(parse(pdu), Exception::kNone);
        }
    }
    EXPECT_EQ(parse({}), Exception::kFunction);
    EXPECT_EQ(parse({5, 0, 0, 0xFF, 0}), Exception::kFunction);
    EXPECT_EQ(parse(Buffer(254, 3)), Exception::kValue);
    Buffer wrong = write_many(0, 3);
    wrong[5] = 5;  // the byte count is not twice the count
    EXPECT_EQ(parse(wrong), Exception::kValue);
}

TEST(ModbusPdu, FileRecords) {
    EXPECT_EQ(parse({20, 7, 5, 0, 1, 0, 0, 0, 2}), Exception::kAddress);        // reference type
    EXPECT_EQ(parse({20, 7, 6, 0, 0, 0, 0, 0, 2}), Exception::kAddress);        // file 0
    EXPECT_EQ(parse({20, 7, 6, 0, 1, 0x27, 0x10, 0, 2}), Exception::kAddress);  // record 10000
    EXPECT_EQ(parse({20, 7, 6, 0, 1, 0, 0, 0, 0}), Exception::kValue);
    EXPECT_EQ(parse({20, 7, 6, 0, 1, 0, 0, 0, 123}), Exception::kValue);
    Buffer most = {21, 7 + 244, 6, 0, 1, 0, 0, 0, 122};
    most.resize(most.size() + 244);
    EXPECT_EQ(parse(most), Exception::kNone);
    ModbusRequest request;
    EXPECT_EQ(parse_modbus_request(most, request), Exception::kNone);
    EXPECT_EQ(request.values.size(), 244U);
    EXPECT_EQ(request.file, 1U);
}

// ---------------------------------------------------------------- TCP

Buffer mbap(uint16_t transaction, const Buffer& pdu, uint8_t unit = 1) {
    Buffer out(kModbusTcpFrame);
    out.resize(write_mbap({transaction, unit, pdu}, out));
    return out;
}

// What the reader finds in bytes that come in pieces of step.
std::vector<std::pair<uint16_t, Buffer>> read_all(MbapReader& reader, const Buffer& bytes,
                                                  size_t step, bool& broken) {
    std::vector<std::pair<uint16_t, Buffer>> out;
    for (size_t at = 0; at < bytes.size(); at += step) {
        const size_t size = std::min(step, bytes.size() - at);
        const MutableBytes room = reader.room();
        EXPECT_GE(room.size(), size);
        std::copy_n(bytes.begin() + static_cast<long>(at), size, room.begin());
        reader.filled(size);
        MbapReader::Frame frame;
        MbapReader::Found found;
        while ((found = reader.next(frame)) == MbapReader::Found::kRequest) {
            out.emplace_back(frame.transaction, Buffer(frame.pdu.begin(), frame.pdu.end()));
        }
        broken = found == MbapReader::Found::kBroken;
        if (broken) break;
    }
    return out;
}

TEST(FieldCase, G09_transactions_and_pieces_of_modbus_tcp) {
    const Buffer pdu = read_request(3, 8000, 2);
    Buffer stream;
    for (const uint16_t transaction : std::initializer_list<uint16_t>{0, 255, 256, 65535}) {
        const Buffer frame = mbap(transaction, pdu);
        stream.insert(stream.end(), frame.begin(), frame.end());
    }
    const Buffer longest = mbap(7, Buffer(kModbusPdu, 3));
    stream.insert(stream.end(), longest.begin(), longest.end());
    for (size_t step = 1; step <= kModbusTcpFrame; ++step) {
        MbapReader reader;
        bool broken = false;
        const auto found = read_all(reader, stream, step, broken);
        ASSERT_EQ(found.size(), 5U);
        EXPECT_FALSE(broken);
        EXPECT_EQ(found[0].first, 0U);
        EXPECT_EQ(found[1].first, 255U);
        EXPECT_EQ(found[2].first, 256U);
        EXPECT_EQ(found[3].first, 65535U);
        EXPECT_TRUE(found[3].second == pdu);
        EXPECT_EQ(found[4].second.size(), kModbusPdu);
    }
}

TEST(FieldCase, G09_lengths_and_protocols_that_break_the_stream) {
    for (const uint16_t length : std::initializer_list<uint16_t>{0, 1, 257, 1000, 65535}) {
        Buffer frame = mbap(1, read_request(3, 0, 1));
        store_be16(frame.data() + 4, length);
        MbapReader reader;
        bool broken = false;
        EXPECT_TRUE(read_all(reader, frame, frame.size(), broken).empty());
        EXPECT_TRUE(broken);
    }
    Buffer other = mbap(1, read_request(3, 0, 1));
    other[3] = 1;  // protocol identifier
    MbapReader reader;
    bool broken = false;
    EXPECT_TRUE(read_all(reader, other, 1, broken).empty());
    EXPECT_TRUE(broken);
}

// ---------------------------------------------------------------- serial line

TEST(ModbusRtu, ChecksumOfAKnownFrame) {
    // MODBUS over Serial Line V1.02, 6.2.2: the check of 02 07 is 0x1241, sent 41 12.
    const Buffer body = {2, 7};
    EXPECT_EQ(modbus_crc(body), 0x1241U);
    EXPECT_EQ(rtu_silence(9600), 4010U);
    EXPECT_EQ(rtu_silence(19200), 2005U);
    EXPECT_EQ(rtu_silence(115200), 1750U);
}

Buffer rtu(uint8_t unit, const Buffer& pdu) {
    Buffer out(kModbusRtuFrame);
    out.resize(write_rtu({unit, pdu}, out));
    return out;
}

TEST(ModbusRtu, LongestFrameAndOneByteMore) {
    RtuReader reader;
    RtuReader::Frame frame;
    const Buffer longest = rtu(1, Buffer(kModbusPdu, 3));
    EXPECT_EQ(longest.size(), kModbusRtuFrame);
    reader.feed(longest);
    ASSERT_TRUE(reader.end(1, frame));
    EXPECT_EQ(frame.pdu.size(), kModbusPdu);
    reader.feed(longest);
    reader.feed(Buffer{0});
    EXPECT_FALSE(reader.end(1, frame));
    EXPECT_FALSE(reader.end(1, frame));  // nothing is kept
    reader.feed(Buffer(10000, 1));
    EXPECT_FALSE(reader.end(1, frame));
    reader.feed(longest);
    EXPECT_TRUE(reader.end(1, frame));
}

TEST(FieldCase, G04_noise_does_not_break_the_next_exchange) {
    const Buffer good = rtu(1, read_request(3, 8000, 2));
    RtuReader reader;
    RtuReader::Frame frame;
    const auto is_read = [&] {
        return reader.end(1, frame) && frame.unit == 1 && frame.pdu.size() == 5;
    };
    // Noise right before it: the silence between was not seen.
    for (size_t noise = 1; noise < 300; ++noise) {
        reader.feed(Buffer(noise, 0x55));
        reader.feed(good);
        EXPECT_TRUE(is_read());
    }
    // Noise behind it, half a frame, one bit wrong: the next one works.
    reader.feed(good);
    reader.feed(Buffer{0x55});
    EXPECT_FALSE(is_read());
    reader.feed(Bytes(good).first(5));
    EXPECT_FALSE(is_read());
    Buffer wrong = good;
    wrong[3] ^= 4;
    reader.feed(wrong);
    EXPECT_FALSE(is_read());
    reader.feed(good);
    EXPECT_TRUE(is_read());
    for (size_t size = 0; size < 4; ++size) {
        reader.feed(Bytes(good).first(size));
        EXPECT_FALSE(is_read());
    }
}

// BlackZork/mqmgateway#40, stephane/libmodbus#494
TEST(ModbusRtu, RequestThatFollowsAnotherSlavesAnswerAtOnceIsFoundAndForeignOnesAreNot) {
    Buffer line = rtu(5, {3, 4, 1, 2, 3, 4});
    const Buffer ours = rtu(1, read_request(3, 8000, 2));
    line.insert(line.end(), ours.begin(), ours.end());
    RtuReader reader;
    RtuReader::Frame frame;
    reader.feed(line);
    ASSERT_TRUE(reader.end(1, frame));
    EXPECT_EQ(frame.unit, 1U);
    EXPECT_EQ(frame.pdu.size(), 5U);
    // Ours inside of somebody else's is data.
    Buffer wrapped = {16};
    wrapped.insert(wrapped.end(), ours.begin(), ours.end());
    const Buffer foreign = rtu(5, wrapped);
    reader.feed(foreign);
    ASSERT_TRUE(reader.end(1, frame));
    EXPECT_EQ(frame.unit, 5U);
    Buffer broken = foreign;
    broken[2] ^= 1;
    reader.feed(broken);
    EXPECT_FALSE(reader.end(1, frame));
}

}  // namespace
}  // namespace ota
