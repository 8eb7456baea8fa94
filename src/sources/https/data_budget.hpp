#pragma once

#include <algorithm>

#include "ports/clock.hpp"

namespace ota {

// How much may be downloaded in a day, for links that are paid by the byte. A day begins with its
// first byte and is counted in RAM: a restart begins a new one, and continues its download.
class DataBudget {
  public:
    // limit: bytes a day; 0 = no limit.
    explicit DataBudget(uint64_t limit) : limit_(limit) {}

    void spend(Millis now, uint64_t bytes) {
        if (now >= day_end_) {
            day_end_ = now + kDay;
            spent_ = 0;
        }
        spent_ += bytes;
    }
    // Bytes that may still be spent.
    uint64_t left(Millis now) const {
        if (limit_ == 0) return UINT64_MAX;
        return now >= day_end_ ? limit_ : limit_ - std::min(spent_, limit_);
    }
    // Can enough that is new be had in a day when so many old bytes come before it?
    bool is_worth(uint64_t lost) const { return limit_ == 0 || lost + kEnough <= limit_; }
    Millis until_next_day(Millis now) const { return now >= day_end_ ? 0 : day_end_ - now; }

  private:
    static constexpr uint64_t kEnough =
        8192;  // two sectors, the last of which may be written again
    static constexpr Millis kDay = 24ULL * 60 * 60 * 1000;
    const uint64_t limit_;
    uint64_t spent_ = 0;
    Millis day_end_ = 0;
};

}  // namespace ota
