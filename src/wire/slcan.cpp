#include "wire/slcan.hpp"

#include "base/hex.hpp"

namespace ota {
namespace {

constexpr std::array<uint8_t, 16> kFdSizes = {0, 1,  2,  3,  4,  5,  6,  7,
                                              8, 12, 16, 20, 24, 32, 48, 64};
constexpr char kDigits[] = "0123456789ABCDEF";

bool parse_number(std::string_view digits, uint32_t& out) {
    out = 0;
    for (const char c : digits) {
        const int digit = hex_digit(c);
        if (digit < 0) return false;
        out = out << 4 | static_cast<uint32_t>(digit);
    }
    return true;
}

bool set_kind(char kind, CanFrame& out) {
    switch (kind) {
        case 't':
        case 'T':
            break;
        case 'r':
        case 'R':
            out.is_remote = true;
            break;
        case 'd':
        case 'D':
        case 'b':
        case 'B':
            out.is_fd = true;
            break;
        default:
            return false;
    }
    out.is_29_bit = kind < 'a';
    return true;
}

}  // namespace

bool parse_slcan(std::string_view line, CanFrame& out) {
    out = CanFrame();
    if (line.empty() || !set_kind(line[0], out)) return false;
    const size_t id_digits = out.is_29_bit ? 8 : 3;
    if (line.size() < 1 + id_digits + 1) return false;
    const int length = hex_digit(line[1 + id_digits]);
    if (!parse_number(line.substr(1, id_digits), out.id) || length < 0) return false;
    if (out.id > (out.is_29_bit ? 0x1FFFFFFFU : 0x7FFU)) return false;
    if (!out.is_fd && length > static_cast<int>(kClassicCanData)) return false;
    out.size = kFdSizes[static_cast<size_t>(length)];
    const std::string_view rest = line.substr(2 + id_digits);
    const size_t digits = out.is_remote ? 0 : size_t{2} * out.size;
    constexpr size_t kTime = 4;  // of adapters that were told to add it
    if (rest.size() != digits && rest.size() != digits + kTime) return false;
    return parse_hex(rest.substr(0, digits), MutableBytes(out.data).first(digits / 2));
}

SlcanLine write_slcan(const CanFrame& frame) {
    SlcanLine line;
    const auto put = [&](size_t digit) { line.append({&kDigits[digit & 15], 1}); };
    const char* const kinds = frame.is_fd ? "bB" : frame.is_remote ? "rR" : "tT";
    line.append({&kinds[frame.is_29_bit ? 1 : 0], 1});
    for (int shift = frame.is_29_bit ? 28 : 8; shift >= 0; shift -= 4) {
        put(frame.id >> static_cast<unsigned>(shift));
    }
    const auto* const length = std::find(kFdSizes.begin(), kFdSizes.end(), frame.size);
    put(static_cast<size_t>(length - kFdSizes.begin()));
    if (frame.is_remote) return line;
    for (const uint8_t byte : frame.bytes()) {
        put(byte >> 4U);
        put(byte);
    }
    return line;
}

std::string_view slcan_rate(uint32_t bitrate) {
    constexpr struct {
        uint32_t bitrate;
        std::string_view command;
    } kRates[] = {{10000, "S0"},  {20000, "S1"},  {50000, "S2"},  {100000, "S3"}, {125000, "S4"},
                  {250000, "S5"}, {500000, "S6"}, {800000, "S7"}, {1000000, "S8"}};
    for (const auto& rate : kRates) {
        if (rate.bitrate == bitrate) return rate.command;
    }
    return {};
}

}  // namespace ota
