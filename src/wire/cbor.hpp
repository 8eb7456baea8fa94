// CBOR (RFC 8949), as much of it as SUIT needs: definite lengths, shortest heads, no floats.
#pragma once

#include "base/bytes.hpp"
#include "base/status.hpp"

namespace ota {

enum class CborType : uint8_t { kUint, kNint, kBytes, kText, kArray, kMap, kTag, kSimple };

struct CborHead {
    CborType type = CborType::kUint;
    uint64_t value = 0;  // number, length, count, tag or simple value
};

// Walks forward over untrusted bytes; holds nothing but views. Every method consumes what it
// returns, and nothing when it fails. Failures are kMalformed with kCborTruncated (more bytes might
// mend it), kCborForm (indefinite, not shortest, reserved) or kCborType (something else was
// expected).
class CborReader {
  public:
    CborReader() = default;
    explicit CborReader(Bytes bytes) : all_(bytes), left_(bytes) {}

    bool at_end() const { return left_.empty(); }
    size_t position() const { return all_.size() - left_.size(); }
    Bytes rest() const { return left_; }

    // The type of the next item; nothing is consumed.
    Result<CborType> peek() const;
    Result<CborHead> head();

    Result<uint64_t> unsigned_number();
    Result<int64_t> number();  // -2^63 … 2^63 - 1
    Result<Bytes> bytes();
    Result<std::string_view> text();  // not checked for being UTF-8
    Result<size_t> array();           // its count; at most as many as bytes are left
    Result<size_t> map();             // its pairs; likewise
    Result<bool> boolean();
    Status tag(uint64_t expected);
    Status null();
    // The next item whole, nested no deeper than kMaxNesting.
    Result<Bytes> item();

    static constexpr int kMaxNesting = 8;

  private:
    Result<Bytes> string(CborType type);
    Result<size_t> container(CborType type, size_t items_each);
    Status skip(int depth);

    Bytes all_;
    Bytes left_;
};

// Numbers of a map, which have to ascend (RFC 8949 4.2.1: bytewise order of the keys).
class CborKeyOrder {
  public:
    // kMalformed / kCborOrder unless key comes after the one before: also for a repeated one.
    Status next(int64_t key);

  private:
    bool any_ = false;
    int64_t last_ = 0;
};

}  // namespace ota
