// The threads of engine and links, and what other threads share with them. POSIX threads through
// the C++ library, built without exceptions: a thread that can't be made ends the process, here on
// the twin alone.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "api/platform.hpp"

namespace ota {

// A bounded queue of commands.
class ThreadMailbox final : public Mailbox {
  public:
    // scale: of the engine's time, as RealClock's.
    explicit ThreadMailbox(uint32_t scale = 1) : scale_(scale) {}
    Status post(const Command& command) override;
    Result<bool> take(Command& command, Millis max_wait) override;

  private:
    static constexpr size_t kCapacity = 8;
    const uint32_t scale_;
    std::mutex mutex_;
    std::condition_variable filled_;
    std::array<Command, kCapacity> commands_{};
    size_t first_ = 0;
    size_t count_ = 0;
};

// Counts how often each state was entered, so that a short one is not missed.
class ThreadStatusSignal final : public StatusSignal {
  public:
    void entered(State state) override;
    Outcome wait(uint32_t mask, uint32_t timeout_ms, State& hit) override;
    void cancel() override;

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::array<uint32_t, kStateCount> counts_{};
    State current_ = State::kIdle;
    uint32_t cancellations_ = 0;
};

class TaskThread final : public Task {
  public:
    Status start(const TaskConfig& config, void (*entry)(void*), void* context) override;
    void join() override { thread_.join(); }
    bool is_current() override;
    void pause() override { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

  private:
    std::thread thread_;
};

}  // namespace ota
