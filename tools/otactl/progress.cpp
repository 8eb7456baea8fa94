#include "progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace otactl {

Progress::Progress(uint64_t total, bool quiet)
    : total_(total), quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0), start_(Clock::now()) {}

Progress::~Progress() {
    if (terminal_ && !quiet_ && first_ != UINT64_MAX) fmt::print(stderr, "\n");
}

double Progress::seconds() const {
    return std::chrono::duration<double>(Clock::now() - start_).count();
}

double Progress::rate() const {
    const double time = seconds();
    return first_ == UINT64_MAX || time <= 0 ? 0 : static_cast<double>(last_ - first_) / time;
}

void Progress::at(uint64_t position) {
    if (first_ == UINT64_MAX || position < first_) first_ = position;
    last_ = position;
    if (quiet_ || total_ == 0) return;
    const auto now = Clock::now();
    const uint64_t tenth = position * 10 / total_;
    const bool due = terminal_ ? now - shown_ > std::chrono::milliseconds(200) || position == total_
                               : tenth != tenth_;
    if (!due) return;
    shown_ = now;
    tenth_ = tenth;
    show(position);
}

void Progress::show(uint64_t position) {
    constexpr uint64_t kWidth = 30;
    const double left = rate() > 0 ? static_cast<double>(total_ - position) / rate() : 0;
    const std::string text =
        fmt::format("{:5.1f} %  {} of {} KiB  {:.1f} KiB/s  {:.0f} s left",
                    100.0 * static_cast<double>(position) / static_cast<double>(total_),
                    position / 1024, (total_ + 1023) / 1024, rate() / 1024, left);
    if (!terminal_) return fmt::print(stderr, "{}\n", text);
    const auto done = static_cast<size_t>(position * kWidth / total_);
    fmt::print(stderr, "\r[{:<{}}] {}  ", std::string(done, '='), kWidth, text);
}

}  // namespace otactl
