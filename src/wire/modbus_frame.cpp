#include "wire/modbus_frame.hpp"

namespace ota {
namespace {

// The remainders of one nibble, CRC-16 with 0xA001 (2.5.1.2 and appendix B).
constexpr std::array<uint16_t, 16> kNibbles = {0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00,
                                               0x2800, 0xE401, 0xA001, 0x6C00, 0x7800, 0xB401,
                                               0x5000, 0x9C01, 0x8801, 0x4400};

constexpr size_t kCrc = 2;

}  // namespace

MbapReader::Found MbapReader::next(Frame& out) {
    const Bytes left = Bytes(bytes_).subspan(begin_, end_ - begin_);
    const bool has_header = left.size() >= kMbapHeader;
    const size_t length = has_header ? load_be16(left.data() + 4) : 0;  // from the unit on
    if (has_header) {
        const bool usable =
            load_be16(left.data() + 2) == 0 && length >= 2 && length <= kModbusRequest + 1;
        if (!usable) return Found::kBroken;
    }
    if (!has_header || left.size() < kMbapHeader - 1 + length) {
        std::copy(left.begin(), left.end(), bytes_.begin());
        begin_ = 0;
        end_ = left.size();
        return Found::kNothing;
    }
    out = {load_be16(left.data()), left[6], left.subspan(kMbapHeader, length - 1)};
    begin_ += kMbapHeader - 1 + length;
    return Found::kRequest;
}

size_t write_mbap(const MbapReader::Frame& answer, MutableBytes out) {
    store_be16(out.data(), answer.transaction);
    store_be16(out.data() + 2, 0);
    store_be16(out.data() + 4, static_cast<uint16_t>(answer.pdu.size() + 1));
    out[6] = answer.unit;
    std::copy(answer.pdu.begin(), answer.pdu.end(), out.begin() + kMbapHeader);
    return kMbapHeader + answer.pdu.size();
}

uint16_t modbus_crc(Bytes bytes) {
    uint16_t crc = 0xFFFF;
    for (const uint8_t byte : bytes) {
        crc = static_cast<uint16_t>(crc ^ byte);
        crc = static_cast<uint16_t>(crc >> 4 ^ kNibbles[crc & 15]);
        crc = static_cast<uint16_t>(crc >> 4 ^ kNibbles[crc & 15]);
    }
    return crc;
}

void RtuReader::feed(Bytes bytes) {
    bytes = bytes.last(std::min(bytes.size(), bytes_.size()));
    const size_t kept = std::min(size_, bytes_.size() - bytes.size());
    std::memmove(bytes_.data(), bytes_.data() + (size_ - kept), kept);
    std::copy(bytes.begin(), bytes.end(), bytes_.data() + kept);
    size_ = kept + bytes.size();
}

bool RtuReader::is_frame(Bytes bytes) const {
    return modbus_crc(bytes.first(bytes.size() - kCrc)) ==
           load_le16(bytes.data() + bytes.size() - kCrc);
}

bool RtuReader::end(uint8_t own, Frame& out) {
    constexpr size_t kShortest = 4;
    const Bytes all = Bytes(bytes_).first(size_);
    size_ = 0;
    for (size_t at = 0; at + kShortest <= all.size(); ++at) {
        const Bytes frame = all.subspan(at);
        const bool candidate = at == 0 || frame[0] == own;
        if (!candidate || !is_frame(frame)) continue;
        out = {frame[0], frame.subspan(1, frame.size() - 1 - kCrc)};
        return true;
    }
    return false;
}

size_t write_rtu(const RtuReader::Frame& frame, MutableBytes out) {
    out[0] = frame.unit;
    std::copy(frame.pdu.begin(), frame.pdu.end(), out.begin() + 1);
    const size_t size = 1 + frame.pdu.size();
    store_le16(out.data() + size, modbus_crc(out.first(size)));
    return size + 2;
}

}  // namespace ota
