#pragma once

#include "engine/snapshot.hpp"

namespace ota {

// The one way in which the engine tells the world: the snapshot, waiting tasks, and event sinks.
class Publisher {
  public:
    static constexpr size_t kMaxSinks = 4;

    explicit Publisher(StatusSignal& signal) : signal_(signal) {}
    bool add_sink(EventSink& sink) { return sinks_.push_back(&sink); }

    State state() const { return value_.state; }
    const EngineSnapshot& value() const { return value_; }
    EngineSnapshot read() const { return snapshot_.read(); }

    // Changes the snapshot without an event.
    template <typename Change>
    void set(Change change) {
        change(value_);
        snapshot_.publish(value_);
    }

    // Enters a state; the table must allow it.
    void enter(State state, Status why = {}, const Verdict& verdict = Verdict::yes());
    // Repeats the current state with something to say.
    void report(Status what);
    void progress(uint64_t received, uint64_t total, uint64_t durable);
    void notice(Notice notice, Status why = {}, const Verdict& verdict = Verdict::yes(),
                RevertReason revert = RevertReason::kNone);
    // Tells of the snapshot's attempt.
    void tell_attempt();

  private:
    void emit(const Event& event);

    StatusSignal& signal_;
    FixedVector<EventSink*, kMaxSinks> sinks_;
    EngineSnapshot value_;
    Snapshot<EngineSnapshot> snapshot_;
};

}  // namespace ota
