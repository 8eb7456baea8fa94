#pragma once

#include <chrono>
#include <cstdint>

namespace otactl {

// How far a transfer is: one line that is written again on a terminal, a line each tenth elsewhere.
class Progress {
  public:
    Progress(uint64_t total, bool quiet);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    // position: of the package; not faster than a few times a second, so call it often.
    void at(uint64_t position);
    double seconds() const;
    // Bytes a second of what was moved here.
    double rate() const;

  private:
    using Clock = std::chrono::steady_clock;
    void show(uint64_t position);

    const uint64_t total_;
    const bool quiet_;
    const bool terminal_;
    const Clock::time_point start_;
    Clock::time_point shown_{};
    uint64_t first_ = UINT64_MAX;
    uint64_t last_ = 0;
    uint64_t tenth_ = 0;
};

}  // namespace otactl
