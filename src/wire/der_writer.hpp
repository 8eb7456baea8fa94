// DER (ITU-T X.690) written from its end to its start, so that each length is known when it is due.
#pragma once

#include "base/bytes.hpp"

namespace ota {

// What does not fit ends in bytes() being empty.
class DerWriter {
  public:
    explicit DerWriter(MutableBytes out) : out_(out), at_(out.size()) {}

    size_t mark() const { return at_; }
    void put(Bytes bytes) {
        if (!take(bytes.size())) return;
        std::copy(bytes.begin(), bytes.end(), out_.begin() + static_cast<std::ptrdiff_t>(at_));
    }
    void put(uint8_t byte) { put(Bytes(&byte, 1)); }
    // What was put since mark is the content of this tag; up to 64 KiB.
    void wrap(uint8_t tag, size_t mark) {
        const size_t length = mark - at_;
        put(static_cast<uint8_t>(length));
        if (length > 0xFF) put(static_cast<uint8_t>(length >> 8));
        if (length > 0x7F) put(length > 0xFF ? uint8_t{0x82} : uint8_t{0x81});
        put(tag);
    }
    // A whole number without a sign.
    void integer(Bytes value) {
        while (value.size() > 1 && value[0] == 0) value = value.subspan(1);
        const size_t end = mark();
        put(value);
        if (value.empty() || value[0] > 0x7F) put(uint8_t{0});
        wrap(0x02, end);
    }

    Bytes bytes() const { return fits_ ? Bytes(out_).subspan(at_) : Bytes(); }

  private:
    bool take(size_t size) {
        fits_ = fits_ && size <= at_;
        if (fits_) at_ -= size;
        return fits_;
    }

    MutableBytes out_;
    size_t at_;
    bool fits_ = true;
};

}  // namespace ota
