#include "linux/threads.hpp"

namespace ota {
namespace {

// Set before anything in the thread can call back.
thread_local const TaskThread* inside = nullptr;

}  // namespace

Status ThreadMailbox::post(const Command& command) {
    const std::lock_guard lock(mutex_);
    if (count_ == kCapacity) return {Code::kNoSpace, Origin::kPlatform};
    commands_[(first_ + count_++) % kCapacity] = command;
    filled_.notify_one();
    return {};
}

Result<bool> ThreadMailbox::take(Command& command, Millis max_wait) {
    std::unique_lock lock(mutex_);
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::microseconds(max_wait * 1000 / scale_);
    if (!filled_.wait_until(lock, deadline, [&] { return count_ != 0; })) return false;
    command = commands_[first_];
    first_ = (first_ + 1) % kCapacity;
    --count_;
    return true;
}

void ThreadStatusSignal::entered(State state) {
    const std::lock_guard lock(mutex_);
    current_ = state;
    ++counts_[static_cast<size_t>(state)];
    changed_.notify_all();
}

StatusSignal::Outcome ThreadStatusSignal::wait(uint32_t mask, uint32_t timeout_ms, State& hit) {
    std::unique_lock lock(mutex_);
    const std::array<uint32_t, kStateCount> before = counts_;
    const uint32_t cancellations = cancellations_;
    bool is_hit = false;
    const auto look = [&] {
        for (size_t i = 0; i < counts_.size() && !is_hit; ++i) {
            const bool wanted = (mask >> i & 1) != 0;
            is_hit = wanted && (counts_[i] != before[i] || static_cast<size_t>(current_) == i);
            if (is_hit) hit = static_cast<State>(i);
        }
        return is_hit || cancellations_ != cancellations;
    };
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    if (!changed_.wait_until(lock, deadline, look)) return Outcome::kTimeout;
    return is_hit ? Outcome::kHit : Outcome::kCancelled;
}

void ThreadStatusSignal::cancel() {
    const std::lock_guard lock(mutex_);
    ++cancellations_;
    changed_.notify_all();
}

bool TaskThread::is_current() {
    return inside == this;
}

Status TaskThread::start(const TaskConfig&, void (*entry)(void*), void* context) {
    thread_ = std::thread([this, entry, context] {
        inside = this;
        entry(context);
    });
    return {};
}

}  // namespace ota
