#include "base/crc32.hpp"

namespace ota {
namespace {

// One nibble at a time: 64 bytes of table, fast enough for records of a few hundred bytes.
constexpr std::array<uint32_t, 16> make_table() {
    std::array<uint32_t, 16> table{};
    for (uint32_t i = 0; i < 16; ++i) {
        uint32_t value = i;
        for (int bit = 0; bit < 4; ++bit)
            value = (value & 1) != 0 ? value >> 1 ^ 0xEDB88320U : value >> 1;
        table[i] = value;
    }
    return table;
}
constexpr std::array<uint32_t, 16> kTable = make_table();

}  // namespace

uint32_t crc32(uint32_t seed, Bytes bytes) {
    uint32_t crc = ~seed;
    for (const uint8_t byte : bytes) {
        crc ^= byte;
        crc = crc >> 4 ^ kTable[crc & 0xF];
        crc = crc >> 4 ^ kTable[crc & 0xF];
    }
    return ~crc;
}

}  // namespace ota
