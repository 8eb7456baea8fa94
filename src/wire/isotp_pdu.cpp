#include "wire/isotp_pdu.hpp"

#include "ports/can_frame.hpp"

namespace ota {
namespace {

constexpr Status kIgnored{Code::kMalformed, Origin::kSource};
constexpr uint32_t kLongestShort = 4095;  // what twelve bits say

Status parse_single(Bytes own, size_t frame_size, size_t address, IsoTpPdu& out) {
    const bool is_long = frame_size > kClassicCanData;
    const size_t low = own[0] & 0x0F;
    if (is_long && low != 0) return kIgnored;
    const size_t head = is_long ? 2 : 1;
    if (own.size() < head) return kIgnored;
    out.length = is_long ? own[1] : static_cast<uint32_t>(low);
    const size_t shortest = is_long ? 8 - address : 1;
    if (out.length < shortest || out.length > own.size() - head) return kIgnored;
    out.data = own.subspan(head, out.length);
    return {};
}

Status parse_first(Bytes own, size_t frame_size, size_t address, IsoTpPdu& out) {
    const bool is_size = frame_size >= kClassicCanData && can_size_for(frame_size) == frame_size;
    if (!is_size) return kIgnored;
    out.length = static_cast<uint32_t>((own[0] & 0x0F) << 8 | own[1]);
    size_t head = 2;
    if (out.length == 0) {
        out.length = static_cast<uint32_t>(own[2]) << 24 | static_cast<uint32_t>(own[3]) << 16 |
                     static_cast<uint32_t>(own[4]) << 8 | own[5];
        if (out.length <= kLongestShort) return kIgnored;
        head = 6;
    }
    // It would have fitted a single frame.
    if (out.length <= longest_single(frame_size, address)) return kIgnored;
    out.data = own.subspan(head);
    return {};
}

Status parse_flow(Bytes own, IsoTpPdu& out) {
    if (own.size() < 3) return kIgnored;
    const uint8_t status = own[0] & 0x0F;
    out.flow = status < 3 ? static_cast<FlowStatus>(status) : FlowStatus::kReserved;
    out.block_size = own[1];
    out.separation = own[2];
    return {};
}

}  // namespace

Status parse_isotp(Bytes data, size_t address, IsoTpPdu& out) {
    out = IsoTpPdu();
    if (data.size() <= address) return kIgnored;
    const Bytes own = data.subspan(address);
    switch (own[0] >> 4) {
        case 0:
            return parse_single(own, data.size(), address, out);
        case 1:
            out.kind = IsoTpKind::kFirst;
            return parse_first(own, data.size(), address, out);
        case 2:
            out.kind = IsoTpKind::kConsecutive;
            out.sequence = own[0] & 0x0F;
            out.data = own.subspan(1);
            return out.data.empty() ? kIgnored : kOkStatus;
        case 3:
            out.kind = IsoTpKind::kFlow;
            return parse_flow(own, out);
        default:
            return kIgnored;
    }
}

uint32_t separation_of(uint8_t value) {
    constexpr uint32_t kLongest = 127000;
    if (value <= 0x7F) return value * 1000U;
    if (value >= 0xF1 && value <= 0xF9) return (value - 0xF0U) * 100U;
    return kLongest;
}

size_t write_single_head(size_t length, bool is_escaped, MutableBytes out) {
    if (!is_escaped) {
        out[0] = static_cast<uint8_t>(length);
        return 1;
    }
    out[0] = 0;
    out[1] = static_cast<uint8_t>(length);
    return 2;
}

size_t write_first_head(size_t length, MutableBytes out) {
    if (length <= kLongestShort) {
        out[0] = static_cast<uint8_t>(0x10 | length >> 8);
        out[1] = static_cast<uint8_t>(length);
        return 2;
    }
    out[0] = 0x10;
    out[1] = 0;
    for (size_t i = 0; i < 4; ++i) out[2 + i] = static_cast<uint8_t>(length >> (24 - 8 * i));
    return 6;
}

}  // namespace ota
