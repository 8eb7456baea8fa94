#pragma once

#include <atomic>
#include <cstdint>

namespace ota {

// Who may use the one instance now. Calls come from any task; they take no lock, so that none can
// hold up the engine. A call in progress keeps the instance alive.
class LifeCycle {
  public:
    enum class Phase : uint8_t {
        kNone,
        kOpening,
        kReady,
        kStarting,
        kLaunching,  // the engine's task may run already, and can't be stopped yet
        kRunning,
        kStopping,
        kClosing,
    };

    Phase phase() const { return phase_; }
    void set(Phase phase) { phase_ = phase; }
    // Only one caller succeeds.
    bool move(Phase from, Phase to) { return phase_.compare_exchange_strong(from, to); }
    // Commands are taken and states can be waited for.
    bool is_live() const {
        const Phase now = phase_;
        return now == Phase::kLaunching || now == Phase::kRunning;
    }

    // False, and nothing to leave, when there is no instance.
    bool enter() {
        ++calls_;
        const Phase now = phase_;
        const bool usable = now != Phase::kNone && now != Phase::kOpening && now != Phase::kClosing;
        if (!usable) --calls_;
        return usable;
    }
    void leave() { --calls_; }
    bool is_idle() const { return calls_ == 0; }

    // Those who wait for a state; only while running.
    bool enter_wait() {
        ++waiters_;
        if (is_live()) return true;
        --waiters_;
        return false;
    }
    void leave_wait() { --waiters_; }
    bool has_waiters() const { return waiters_ != 0; }

  private:
    std::atomic<Phase> phase_{Phase::kNone};
    std::atomic<uint32_t> calls_{0};
    std::atomic<uint32_t> waiters_{0};
};

// One call of the C API from another task or a callback.
class Call {
  public:
    explicit Call(LifeCycle& life) : life_(life), entered_(life.enter()) {}
    ~Call() {
        if (entered_) life_.leave();
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    bool ok() const { return entered_; }
    bool is_live() const { return entered_ && life_.is_live(); }
    bool is_ready() const { return entered_ && life_.phase() == LifeCycle::Phase::kReady; }

  private:
    LifeCycle& life_;
    const bool entered_;
};

}  // namespace ota
