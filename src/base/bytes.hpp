// Byte spans, endian access and a bounded reader. Everything that parses untrusted bytes uses
// these.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace ota {

using Bytes = std::span<const uint8_t>;
using MutableBytes = std::span<uint8_t>;

// SHA-256 (FIPS 180-4) is the only trusted digest of the product.
inline constexpr size_t kSha256Size = 32;
using Digest = std::array<uint8_t, kSha256Size>;

constexpr uint16_t load_le16(const uint8_t* p) {
    return static_cast<uint16_t>(p[0] | p[1] << 8);
}

constexpr uint32_t load_le32(const uint8_t* p) {
    return static_cast<uint32_t>(p[0]) | static_cast<uint32_t>(p[1]) << 8 |
           static_cast<uint32_t>(p[2]) << 16 | static_cast<uint32_t>(p[3]) << 24;
}

constexpr void store_le16(uint8_t* p, uint16_t value) {
    p[0] = static_cast<uint8_t>(value);
    p[1] = static_cast<uint8_t>(value >> 8);
}

constexpr void store_le32(uint8_t* p, uint32_t value) {
    store_le16(p, static_cast<uint16_t>(value));
    store_le16(p + 2, static_cast<uint16_t>(value >> 16));
}

constexpr uint16_t load_be16(const uint8_t* p) {
    return static_cast<uint16_t>(p[0] << 8 | p[1]);
}

constexpr uint32_t load_be32(const uint8_t* p) {
    return uint32_t{load_be16(p)} << 16 | load_be16(p + 2);
}

constexpr void store_be16(uint8_t* p, uint16_t value) {
    p[0] = static_cast<uint8_t>(value >> 8);
    p[1] = static_cast<uint8_t>(value);
}

constexpr void store_be32(uint8_t* p, uint32_t value) {
    store_be16(p, static_cast<uint16_t>(value >> 16));
    store_be16(p + 2, static_cast<uint16_t>(value));
}

template <typename T>
constexpr T round_up(T value, T unit) {
    return (value + unit - 1) / unit * unit;
}

template <typename T>
constexpr T round_down(T value, T unit) {
    return value / unit * unit;
}

// True when every byte has the erased value of NOR flash.
inline bool is_blank(Bytes bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0xFF; });
}

// Comparison whose time does not depend on where the difference is.
inline bool equal_constant_time(Bytes a, Bytes b) {
    if (a.size() != b.size()) return false;
    uint8_t difference = 0;
    for (size_t i = 0; i < a.size(); ++i)
        difference = static_cast<uint8_t>(difference | (a[i] ^ b[i]));
    return difference == 0;
}

// A fixed-size, NUL-padded field that need not end in NUL.
inline std::string_view field_text(Bytes field) {
    const auto end = std::find(field.begin(), field.end(), uint8_t{0});
    return {reinterpret_cast<const char*>(field.data()), static_cast<size_t>(end - field.begin())};
}

inline Bytes as_bytes(std::string_view text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

inline std::string_view as_text(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Walks forward over untrusted bytes; after the first overrun every read gives zero and ok() is
// false, so a parser checks once at the end.
class BoundedReader {
  public:
    explicit BoundedReader(Bytes bytes) : bytes_(bytes) {}

    bool ok() const { return ok_; }
    size_t remaining() const { return bytes_.size(); }
    uint8_t u8() {
        const Bytes b = take(1);
        return b.empty() ? uint8_t{0} : b[0];
    }
    uint16_t u16() {
        const Bytes b = take(2);
        return b.empty() ? uint16_t{0} : load_le16(b.data());
    }
    uint32_t u32() {
        const Bytes b = take(4);
        return b.empty() ? 0 : load_le32(b.data());
    }
    uint64_t u64() {
        const uint64_t low = u32();
        return low | uint64_t{u32()} << 32;
    }
    void copy(MutableBytes out) {
        const Bytes b = take(out.size());
        if (!b.empty()) std::memcpy(out.data(), b.data(), b.size());
    }
    Bytes take(size_t length) {
        if (length > bytes_.size()) {
            ok_ = false;
            bytes_ = {};
            return {};
        }
        const Bytes taken = bytes_.first(length);
        bytes_ = bytes_.subspan(length);
        return taken;
    }

  private:
    Bytes bytes_;
    bool ok_ = true;
};

// The writing counterpart for records of a known size; an overrun is a bug.
class BoundedWriter {
  public:
    explicit BoundedWriter(MutableBytes out) : out_(out) {}

    size_t written() const { return used_; }
    void u8(uint8_t value) { place(1)[0] = value; }
    void u16(uint16_t value) { store_le16(place(2), value); }
    void u32(uint32_t value) { store_le32(place(4), value); }
    void u64(uint64_t value) {
        u32(static_cast<uint32_t>(value));
        u32(static_cast<uint32_t>(value >> 32));
    }
    void copy(Bytes bytes) {
        if (!bytes.empty()) std::memcpy(place(bytes.size()), bytes.data(), bytes.size());
    }

  private:
    uint8_t* place(size_t length);

    MutableBytes out_;
    size_t used_ = 0;
};

inline uint8_t* BoundedWriter::place(size_t length) {
    if (length > out_.size() - used_) std::abort();
    uint8_t* at = out_.data() + used_;
    used_ += length;
    return at;
}

}  // namespace ota
