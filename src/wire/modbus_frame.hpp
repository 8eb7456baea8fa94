// The frames around a Modbus PDU: on TCP (MODBUS Messaging on TCP/IP V1.0b, 3.1.3) and on a serial
// line (MODBUS over Serial Line V1.02, 2.5.1).
#pragma once

#include "base/bytes.hpp"
#include "wire/modbus_pdu.hpp"

namespace ota {

// ---------------------------------------------------------------- TCP

inline constexpr size_t kMbapHeader = 7;
inline constexpr size_t kModbusTcpFrame = kMbapHeader + kModbusRequest;

// The bytes of one connection, in whatever pieces they come.
class MbapReader {
  public:
    enum class Found : uint8_t { kNothing, kRequest, kBroken };

    struct Frame {
        uint16_t transaction = 0;
        uint8_t unit = 0;
        Bytes pdu;  // until the next call of anything
    };

    // Where the next bytes go; never empty after next() has given kNothing.
    MutableBytes room() { return MutableBytes(bytes_).subspan(end_); }
    void filled(size_t count) { end_ += count; }
    // kBroken: what comes can't be told apart any more; the connection is of no use.
    Found next(Frame& out);
    void clear() { begin_ = end_ = 0; }

  private:
    std::array<uint8_t, 2 * kModbusTcpFrame> bytes_{};
    size_t begin_ = 0;  // of what next() has not given yet
    size_t end_ = 0;
};

// Returns the size; out holds kModbusTcpFrame bytes.
size_t write_mbap(const MbapReader::Frame& answer, MutableBytes out);

// ---------------------------------------------------------------- serial line

inline constexpr size_t kModbusRtuFrame = 256;

uint16_t modbus_crc(Bytes bytes);

// Microseconds of silence that end a frame: 3.5 characters of 11 bits, above 19,200 baud 1,750 µs.
constexpr uint32_t rtu_silence(uint32_t baud_rate) {
    return baud_rate > 19200 ? 1750 : 3500000U * 11 / baud_rate;
}

// Collects what stands between two silences. A reader that is called seldom does not see each of
// them: then the request to this device is what stands at the end.
class RtuReader {
  public:
    struct Frame {
        uint8_t unit = 0;  // 0 = to all
        Bytes pdu;         // until the next byte
    };

    void feed(Bytes bytes);
    // After a silence: true when a whole frame stood before it, or one for own at the end.
    bool end(uint8_t own, Frame& out);
    bool empty() const { return size_ == 0; }

  private:
    bool is_frame(Bytes bytes) const;

    std::array<uint8_t, kModbusRtuFrame> bytes_{};  // the latest
    size_t size_ = 0;
};

// Returns the size; out holds kModbusRtuFrame bytes.
size_t write_rtu(const RtuReader::Frame& frame, MutableBytes out);

}  // namespace ota
