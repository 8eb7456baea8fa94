// The frames of ISO-TP (ISO 15765-2:2016, 9.6): what stands in the data of one CAN frame.
#pragma once

#include "base/bytes.hpp"
#include "base/status.hpp"

namespace ota {

enum class IsoTpKind : uint8_t { kSingle, kFirst, kConsecutive, kFlow };
enum class FlowStatus : uint8_t { kContinue = 0, kWait = 1, kOverflow = 2, kReserved = 3 };

struct IsoTpPdu {
    IsoTpKind kind = IsoTpKind::kSingle;
    uint32_t length = 0;                      // of the message, with kSingle and kFirst
    uint8_t sequence = 0;                     // with kConsecutive: 0…15
    FlowStatus flow = FlowStatus::kContinue;  // with kFlow, as are the next two
    uint8_t block_size = 0;                   // 0 = no further flow control
    uint8_t separation = 0;                   // STmin as sent
    Bytes data;                               // of the message; padding is not told from it
};

// data: all data of the frame; address: bytes of it before the frame's own (0 or 1). kMalformed for
// what a receiver has to ignore: lengths out of their range, escapes that are not due, sizes that
// no frame has, reserved kinds.
Status parse_isotp(Bytes data, size_t address, IsoTpPdu& out);

// Microseconds between two consecutive frames; reserved values mean the longest (9.6.5.4, 9.6.5.5).
uint32_t separation_of(uint8_t value);

// The longest message in one frame of so many bytes (8, or more with CAN FD).
constexpr size_t longest_single(size_t frame_size, size_t address) {
    return frame_size <= 8 ? 7 - address : frame_size - 2 - address;
}

// Writes what comes before the data; returns its size. length with kSingle: at most
// longest_single(). out holds eight bytes at least.
size_t write_single_head(size_t length, bool is_escaped, MutableBytes out);
size_t write_first_head(size_t length, MutableBytes out);

}  // namespace ota
