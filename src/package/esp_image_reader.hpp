#pragma once

#include "ports/component.hpp"

namespace ota {

// Drives the host through the one payload of a raw image and holds it to its exact length, where
// that is known before its end.
class EspImageReader {
  public:
    explicit EspImageReader(PayloadHost& host) : host_(host) {}

    // size 0 = unknown. The next bytes handed to feed() are those at offset.
    void begin(uint64_t size, uint64_t offset) {
        size_ = size;
        position_ = offset;
    }
    // More than size: kMalformed / kImageLength, nothing is passed on.
    Status feed(Bytes bytes);
    // At the end of the stream; too few bytes: kUnavailable / kShortFile, so it may be resumed.
    Status end();

    uint64_t position() const { return position_; }
    uint64_t size() const { return size_; }

  private:
    PayloadHost& host_;
    uint64_t size_ = 0;
    uint64_t position_ = 0;
};

}  // namespace ota
