#pragma once

#include "base/bytes.hpp"
#include "base/fixed.hpp"

namespace ota {

constexpr int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Exactly two digits for each byte of out; otherwise false and out undefined.
constexpr bool parse_hex(std::string_view text, MutableBytes out) {
    if (text.size() != out.size() * 2) return false;
    for (size_t i = 0; i < out.size(); ++i) {
        const int high = hex_digit(text[2 * i]);
        const int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = static_cast<uint8_t>(high << 4 | low);
    }
    return true;
}

// Lower-case digits.
template <size_t N>
void append_hex(FixedString<N>& out, Bytes bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const uint8_t byte : bytes) {
        out.append(kDigits.substr(byte >> 4, 1));
        out.append(kDigits.substr(byte & 15, 1));
    }
}

inline FixedString<2 * kSha256Size> hex_text(const Digest& digest) {
    FixedString<2 * kSha256Size> out;
    append_hex(out, digest);
    return out;
}

}  // namespace ota
