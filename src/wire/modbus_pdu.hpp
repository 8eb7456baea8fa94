// Modbus requests and answers without their frame (MODBUS Application Protocol V1.1b3).
#pragma once

#include "base/bytes.hpp"

namespace ota {

inline constexpr size_t kModbusPdu = 253;  // the longest (4.1)

// What a peer may send all the same: such a request is answered.
inline constexpr size_t kModbusRequest = 255;

enum class ModbusFunction : uint8_t {
    kReadHolding = 3,
    kReadInput = 4,
    kWriteOne = 6,
    kWriteMany = 16,
    kReadFile = 20,
    kWriteFile = 21,
    kReadWrite = 23,
    kIdentify = 43,  // with MEI type 14: read device identification
};

// 7, MODBUS Exception Responses.
enum class ModbusException : uint8_t {
    kNone = 0,
    kFunction = 1,
    kAddress = 2,
    kValue = 3,
    kFailure = 4,
    kBusy = 6,
    kNoTarget = 11,
};

// How many registers fit (6.3, 6.12, 6.17, 6.14, 6.15).
inline constexpr uint16_t kMostRead = 125;
inline constexpr uint16_t kMostWritten = 123;
inline constexpr uint16_t kMostExchanged = 121;
inline constexpr uint16_t kMostInFile = 122;

inline constexpr uint8_t kFileReference = 6;  // the only reference type (6.14, 6.15)

struct ModbusRequest {
    ModbusFunction function = ModbusFunction::kReadHolding;
    uint16_t file = 0;     // with kReadFile and kWriteFile
    uint16_t address = 0;  // of the first register, or record, to read
    uint16_t count = 0;    // of registers to read; 0: nothing is read
    uint16_t write_address = 0;
    Bytes values;               // to write, two bytes to a register; a view into the PDU
    uint8_t identify_code = 0;  // with kIdentify
    uint8_t object = 0;
};

// kNone, or what to answer. Of file records one sub-request is taken, as long as it can be.
ModbusException parse_modbus_request(Bytes pdu, ModbusRequest& out);

// An answer as it grows; registers are big-endian.
class ModbusAnswer {
  public:
    explicit ModbusAnswer(MutableBytes out) : out_(out) {}

    void u8(uint8_t value) { out_[size_++] = value; }
    void u16(uint16_t value) {
        u8(static_cast<uint8_t>(value >> 8));
        u8(static_cast<uint8_t>(value));
    }
    void copy(Bytes bytes) {
        for (const uint8_t byte : bytes) u8(byte);
    }
    size_t size() const { return size_; }

  private:
    MutableBytes out_;
    size_t size_ = 0;
};

inline constexpr uint8_t kModbusError = 0x80;  // in the function of an answer

}  // namespace ota
