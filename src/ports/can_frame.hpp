// One frame on a CAN bus (ISO 11898-1).
#pragma once

#include "base/bytes.hpp"
#include "base/fixed.hpp"

namespace ota {

inline constexpr size_t kClassicCanData = 8;
inline constexpr size_t kFdCanData = 64;

struct CanFrame {
    uint32_t id = 0;  // 11 or 29 bits
    bool is_29_bit = false;
    bool is_fd = false;      // up to 64 bytes
    bool is_remote = false;  // no data
    uint8_t size = 0;        // bytes of data: 0…8, with FD also 12, 16, 20, 24, 32, 48, 64
    std::array<uint8_t, kFdCanData> data{};

    Bytes bytes() const { return Bytes(data).first(std::min<size_t>(size, data.size())); }
};

// The smallest size of a frame that holds so many bytes, 64 at most (ISO 11898-1, table of DLC).
constexpr size_t can_size_for(size_t bytes) {
    for (const size_t size : {8U, 12U, 16U, 20U, 24U, 32U, 48U}) {
        if (bytes <= size) return bytes <= kClassicCanData ? bytes : size;
    }
    return kFdCanData;
}

}  // namespace ota
