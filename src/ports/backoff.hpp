#pragma once

#include <algorithm>

#include "ports/clock.hpp"

namespace ota {

// Marsaglia xorshift32: statistical spread is all that is needed of it.
class Jitter {
  public:
    void seed(uint32_t value) { random_ = value | 1; }
    // 0 … most.
    uint32_t up_to(uint32_t most) {
        random_ ^= random_ << 13;
        random_ ^= random_ >> 17;
        random_ ^= random_ << 5;
        return static_cast<uint32_t>(random_ % (uint64_t{most} + 1));
    }

  private:
    uint32_t random_ = 0x9E3779B9;
};

// Doubling delay with a cap and ±25 % of jitter, so that a fleet that lost its server together does
// not come back together.
class Backoff {
  public:
    constexpr Backoff(Millis first, Millis cap) : first_(first), cap_(cap), next_(first) {}

    void reset() { next_ = first_; }
    Millis next() {
        const Millis base = next_;
        next_ = std::min(next_ * 2, cap_);
        return base * 3 / 4 + jitter_.up_to(static_cast<uint32_t>(base / 2));
    }
    void seed(uint32_t value) { jitter_.seed(value); }

  private:
    Millis first_;
    Millis cap_;
    Millis next_;
    Jitter jitter_;
};

}  // namespace ota
