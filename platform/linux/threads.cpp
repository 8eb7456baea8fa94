#include "linux/threads.hpp"

#include <chrono>

namespace ota {

Status ThreadMailbox::post(const Command& command) {
    const std::lock_guard lock(mutex_);
    if (count_ == kCapacity) return {Code::kNoSpace, Origin::kPlatform};
    commands_[(first_ + count_++) % kCapacity] = command;
    filled_.notify_one();
    return {};
}

Result<bool> ThreadMailbox::take(Command& command, Millis max_wait) {
    std::unique_lock lock(mutex_);
    // system_clock keeps ThreadSanitizer informed (it does not intercept pthread_cond_clockwait).
    const auto deadline = std::chrono::system_clock::now() + std::chrono::milliseconds(max_wait);
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

bool ThreadStatusSignal::wait(uint32_t mask, uint32_t timeout_ms, State& hit) {
    std::unique_lock lock(mutex_);
    const std::array<uint32_t, kStateCount> before = counts_;
    const auto found = [&] {
        if ((mask >> static_cast<unsigned>(current_) & 1) != 0) {
            hit = current_;
            return true;
        }
        for (size_t i = 0; i < counts_.size(); ++i) {
            if ((mask >> i & 1) == 0 || counts_[i] == before[i]) continue;
            hit = static_cast<State>(i);
            return true;
        }
        return false;
    };
    const auto deadline = std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms);
    return changed_.wait_until(lock, deadline, found);
}

Status EngineThread::start(const EngineTaskConfig&, void (*entry)(void*), void* context) {
    thread_ = std::thread(entry, context);
    return {};
}

}  // namespace ota
