#pragma once

#include "ports/safety.hpp"
#include "ports/update_record.hpp"

namespace ota {

// Same order as ota_notice_t.
enum class Notice : uint8_t { kTrialStarted, kConfirmed, kReverted, kPaused, kResumed, kRepaired };

struct Event {
    enum class Kind : uint8_t { kState, kProgress, kNotice, kReport };

    Kind kind = Kind::kState;
    State state = State::kIdle;
    Notice notice = Notice::kTrialStarted;
    RevertReason revert = RevertReason::kNone;  // with kReverted
    Status status;                              // why, where there is a why
    uint64_t received = 0;                      // bytes; never more than total when total is known
    uint64_t total = 0;                         // bytes; 0 = unknown
    int32_t reading = 0;  // behind a kUnsafe status: the value that closed the gate: %, m°C, mA, ms
    int32_t limit = 0;    // and its limit
    const AttemptRecord* attempt = nullptr;  // with kReport; valid during the call
};

class EventSink {
  public:
    // Engine context; must not block.
    virtual void on_event(const Event& event) = 0;

  protected:
    ~EventSink() = default;
};

// Lets other tasks wait for states.
class StatusSignal {
  public:
    virtual void entered(State state) = 0;
    enum class Outcome : uint8_t { kHit, kTimeout, kCancelled };
    // Any context but the engine's. Bit n of mask stands for state n. kHit when the current state
    // is in the mask or one of it was entered since the call; hit tells which.
    virtual Outcome wait(uint32_t mask, uint32_t timeout_ms, State& hit) = 0;
    // Sends all who wait away with kCancelled: the engine ends.
    virtual void cancel() = 0;

  protected:
    ~StatusSignal() = default;
};

}  // namespace ota
