// Text comparisons and numbers of protocols: ASCII, no locale.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/fixed.hpp"

namespace ota {

constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
               return to_lower(x) == to_lower(y);
           });
}

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

constexpr bool is_printable(char c) {
    return c >= ' ' && c <= '~';
}

constexpr bool is_visible(char c) {
    return c > ' ' && c <= '~';
}

// What a text in quotation marks, as JSON has it, holds as it is.
constexpr bool is_plain(char c) {
    return is_printable(c) && c != '"' && c != '\\';
}

// What is not plain comes as '?'.
template <size_t N>
void append_plain(FixedString<N>& out, std::string_view text) {
    for (const char& c : text) out.append({is_plain(c) ? &c : "?", 1});
}

// Decimal digits and nothing else, at most 18 of them.
constexpr bool parse_decimal(std::string_view text, uint64_t& out) {
    if (text.empty() || text.size() > 18) return false;
    if (!std::all_of(text.begin(), text.end(), is_digit)) return false;
    out = 0;
    for (const char c : text) out = out * 10 + static_cast<uint64_t>(c - '0');
    return true;
}

template <size_t N>
void append_decimal(FixedString<N>& out, uint64_t value) {
    std::array<char, 20> digits;
    size_t at = digits.size();
    do {
        digits[--at] = static_cast<char>('0' + value % 10);
        value /= 10;
    } while (value != 0);
    out.append({digits.data() + at, digits.size() - at});
}

}  // namespace ota
