#pragma once

#include <algorithm>

#include "ports/clock.hpp"

namespace ota {

// Doubling delay with a cap and ±25 % of jitter, so that a fleet that lost its server together does
// not come back together.
class Backoff {
  public:
    constexpr Backoff(Millis first, Millis cap) : first_(first), cap_(cap), next_(first) {}

    void reset() { next_ = first_; }
    Millis next() {
        const Millis base = next_;
        next_ = std::min(next_ * 2, cap_);
        // Marsaglia xorshift32; statistical spread is all that is needed here.
        random_ ^= random_ << 13;
        random_ ^= random_ >> 17;
        random_ ^= random_ << 5;
        return base * 3 / 4 + random_ % (base / 2 + 1);
    }
    void seed(uint32_t value) { random_ = value | 1; }

  private:
    Millis first_;
    Millis cap_;
    Millis next_;
    uint32_t random_ = 0x9E3779B9;
};

}  // namespace ota
