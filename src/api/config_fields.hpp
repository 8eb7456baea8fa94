// The fields of a configuration: what they say, and what their texts may consist of.
#pragma once

#include <algorithm>
#include <string_view>

#include "base/text.hpp"

namespace ota {

// A number, or what 0 stands for.
template <typename T>
T or_default(T value, T otherwise) {
    return value == 0 ? otherwise : value;
}

inline bool is_empty(const char* text) {
    return text == nullptr || text[0] == '\0';
}

inline std::string_view text_of(const char* text) {
    return text == nullptr ? std::string_view() : text;
}

// Nothing, or as long at most.
inline bool fits(const char* text, size_t longest) {
    return text_of(text).size() <= longest;
}

// Of letters, digits and others; at least one.
inline bool consists_of(std::string_view text, std::string_view others, size_t longest) {
    if (text.empty() || text.size() > longest) return false;
    return std::all_of(text.begin(), text.end(), [&](char c) {
        const char lower = to_lower(c);
        return is_digit(c) || (lower >= 'a' && lower <= 'z') ||
               others.find(c) != std::string_view::npos;
    });
}

}  // namespace ota
