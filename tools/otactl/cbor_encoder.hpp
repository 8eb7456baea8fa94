// CBOR in its deterministic form (RFC 8949 4.2.1), built from the inside out.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace otactl::cbor {

using Item = std::vector<uint8_t>;

inline Item head(uint8_t type, uint64_t value) {
    const auto first = static_cast<uint8_t>(type << 5);
    if (value < 24) return {static_cast<uint8_t>(first | value)};
    const int width = value < 0x100 ? 0 : value < 0x10000 ? 1 : value < 0x100000000 ? 2 : 3;
    Item out = {static_cast<uint8_t>(first | (24 + width))};
    for (int i = (1 << width) - 1; i >= 0; --i) out.push_back(static_cast<uint8_t>(value >> 8 * i));
    return out;
}

inline Item join(Item first, const Item& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

inline Item number(int64_t value) {
    return value >= 0 ? head(0, static_cast<uint64_t>(value))
                      : head(1, static_cast<uint64_t>(-1 - value));
}
inline Item bytes(const Item& value) {
    return join(head(2, value.size()), value);
}
inline Item text(const std::string& value) {
    return join(head(3, value.size()), Item(value.begin(), value.end()));
}
inline Item array(const std::vector<Item>& items) {
    Item out = head(4, items.size());
    for (const Item& item : items) out = join(std::move(out), item);
    return out;
}
// Sorts by encoded key.
inline Item map(std::vector<std::pair<Item, Item>> pairs) {
    std::sort(pairs.begin(), pairs.end());
    Item out = head(5, pairs.size());
    for (const auto& [key, value] : pairs) out = join(join(std::move(out), key), value);
    return out;
}
inline Item tag(uint64_t value, const Item& item) {
    return join(head(6, value), item);
}
inline Item boolean(bool value) {
    return {static_cast<uint8_t>(value ? 0xF5 : 0xF4)};
}
inline Item null() {
    return {0xF6};
}

}  // namespace otactl::cbor
