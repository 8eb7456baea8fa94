#include "wire/cbor.hpp"

namespace ota {
namespace {

constexpr Status malformed(Detail detail) {
    return {Code::kMalformed, Origin::kPackage, detail};
}

constexpr uint8_t kFalse = 20;
constexpr uint8_t kTrue = 21;
constexpr uint8_t kNull = 22;

// Bytewise order of encoded numbers: 0, 1, 2 … and then -1, -2 …
bool comes_before(int64_t a, int64_t b) {
    if ((a < 0) != (b < 0)) return a >= 0;
    return a < 0 ? a > b : a < b;
}

}  // namespace

Result<CborType> CborReader::peek() const {
    if (left_.empty()) return malformed(Detail::kCborTruncated);
    return static_cast<CborType>(left_[0] >> 5);
}

Result<CborHead> CborReader::head() {
    if (left_.empty()) return malformed(Detail::kCborTruncated);
    const uint8_t first = left_[0];
    const uint8_t short_value = first & 0x1F;
    const auto type = static_cast<CborType>(first >> 5);
    if (short_value < 24) {
        left_ = left_.subspan(1);
        return CborHead{type, short_value};
    }
    if (short_value > 27 || type == CborType::kSimple) return malformed(Detail::kCborForm);
    const size_t length = size_t{1} << (short_value - 24);
    if (left_.size() < 1 + length) return malformed(Detail::kCborTruncated);
    uint64_t value = 0;
    for (size_t i = 1; i <= length; ++i) value = value << 8 | left_[i];
    // The smallest number that needs so many bytes.
    const uint64_t least = length == 1 ? 24 : uint64_t{1} << (length * 4);
    if (value < least) return malformed(Detail::kCborForm);
    left_ = left_.subspan(1 + length);
    return CborHead{type, value};
}

Result<uint64_t> CborReader::unsigned_number() {
    const CborReader before = *this;
    OTA_TRY_ASSIGN(const CborHead found, head());
    if (found.type == CborType::kUint) return found.value;
    *this = before;
    return malformed(Detail::kCborType);
}

Result<int64_t> CborReader::number() {
    const CborReader before = *this;
    OTA_TRY_ASSIGN(const CborHead found, head());
    const bool fits = found.value <= static_cast<uint64_t>(INT64_MAX);
    if (fits && found.type == CborType::kUint) return static_cast<int64_t>(found.value);
    if (fits && found.type == CborType::kNint) return -1 - static_cast<int64_t>(found.value);
    *this = before;
    return malformed(Detail::kCborType);
}

Result<Bytes> CborReader::string(CborType type) {
    const CborReader before = *this;
    OTA_TRY_ASSIGN(const CborHead found, head());
    const bool right = found.type == type;
    if (right && found.value <= left_.size()) {
        const Bytes out = left_.first(static_cast<size_t>(found.value));
        left_ = left_.subspan(out.size());
        return out;
    }
    *this = before;
    return malformed(right ? Detail::kCborTruncated : Detail::kCborType);
}

Result<Bytes> CborReader::bytes() {
    return string(CborType::kBytes);
}

Result<std::string_view> CborReader::text() {
    OTA_TRY_ASSIGN(const Bytes found, string(CborType::kText));
    return std::string_view(reinterpret_cast<const char*>(found.data()), found.size());
}

Result<size_t> CborReader::container(CborType type, size_t items_each) {
    const CborReader before = *this;
    OTA_TRY_ASSIGN(const CborHead found, head());
    const bool right = found.type == type;
    // Each item takes a byte at least, so a larger count is a lie.
    if (right && found.value <= left_.size() / items_each) return static_cast<size_t>(found.value);
    *this = before;
    return malformed(right ? Detail::kCborTruncated : Detail::kCborType);
}

Result<size_t> CborReader::array() {
    return container(CborType::kArray, 1);
}

Result<size_t> CborReader::map() {
    return container(CborType::kMap, 2);
}

Result<bool> CborReader::boolean() {
    const CborReader before = *this;
    OTA_TRY_ASSIGN(const CborHead found, head());
    const bool right =
        found.type == CborType::kSimple && (found.value == kFalse || found.value == kTrue);
    if (right) return found.value == kTrue;
    *this = before;
    return malformed(Detail::kCborType);
}

Status CborReader::tag(uint64_t expected) {
    const CborReader before = *this;
    OTA_TRY_ASSIGN(const CborHead found, head());
    if (found.type == CborType::kTag && found.value == expected) return {};
    *this = before;
    return malformed(Detail::kCborType);
}

Status CborReader::null() {
    const CborReader before = *this;
    OTA_TRY_ASSIGN(const CborHead found, head());
    if (found.type == CborType::kSimple && found.value == kNull) return {};
    *this = before;
    return malformed(Detail::kCborType);
}

Result<Bytes> CborReader::item() {
    const CborReader before = *this;
    const Status skipped = skip(0);
    if (!skipped.ok()) {
        *this = before;
        return skipped;
    }
    return before.left_.first(before.left_.size() - left_.size());
}

// Recursion no deeper than kMaxNesting.
Status CborReader::skip(int depth) {
    if (depth > kMaxNesting) return malformed(Detail::kNestingTooDeep);
    OTA_TRY_ASSIGN(const CborType type, peek());
    switch (type) {
        case CborType::kBytes:
        case CborType::kText:
            return string(type).status();
        case CborType::kArray:
        case CborType::kMap: {
            const bool is_map = type == CborType::kMap;
            OTA_TRY_ASSIGN(const size_t count, is_map ? map() : array());
            for (size_t i = 0; i < (is_map ? 2 * count : count); ++i) OTA_TRY(skip(depth + 1));
            return {};
        }
        case CborType::kTag:
            OTA_TRY(head().status());
            return skip(depth + 1);
        case CborType::kSimple: {
            OTA_TRY_ASSIGN(const CborHead found, head());
            const bool known = found.value >= kFalse && found.value <= kNull;
            return known ? kOkStatus : malformed(Detail::kCborForm);
        }
        default:
            return head().status();
    }
}

Status CborKeyOrder::next(int64_t key) {
    const bool in_order = !any_ || comes_before(last_, key);
    any_ = true;
    last_ = key;
    return in_order ? kOkStatus : malformed(Detail::kCborOrder);
}

}  // namespace ota
