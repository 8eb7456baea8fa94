#include "engine/publisher.hpp"

#include "engine/state_machine.hpp"

namespace ota {

void Publisher::enter(State state, Status why, const Verdict& verdict) {
    OTA_ASSERT(may_follow(value_.state, state));
    set([&](EngineSnapshot& now) {
        now.state = state;
        now.paused = false;
        if (state == State::kChecking) now.error = 0;
        if (!why.ok()) {
            now.error = why.word();
            now.reading = verdict.reading;
            now.limit = verdict.limit;
        }
    });
    signal_.entered(state);
    Event event;
    event.kind = Event::Kind::kState;
    event.status = why;
    event.reading = verdict.reading;
    event.limit = verdict.limit;
    emit(event);
}

void Publisher::report(Status what) {
    Event event;
    event.kind = Event::Kind::kState;
    event.status = what;
    emit(event);
}

void Publisher::progress(uint64_t received, uint64_t total, uint64_t durable) {
    set([&](EngineSnapshot& now) {
        now.durable = static_cast<uint32_t>(durable);
        now.received = static_cast<uint32_t>(received);
        now.total = static_cast<uint32_t>(total);
    });
    Event event;
    event.kind = Event::Kind::kProgress;
    event.received = received;
    event.total = total;
    emit(event);
}

void Publisher::notice(Notice notice, Status why, const Verdict& verdict, RevertReason revert) {
    Event event;
    event.kind = Event::Kind::kNotice;
    event.notice = notice;
    event.status = why;
    event.reading = verdict.reading;
    event.limit = verdict.limit;
    event.revert = revert;
    emit(event);
}

void Publisher::tell_attempt() {
    Event event;
    event.kind = Event::Kind::kReport;
    event.attempt = &value_.attempt;
    event.revert = value_.report_reason;
    emit(event);
}

void Publisher::emit(const Event& event) {
    Event complete = event;
    complete.state = value_.state;
    for (EventSink* sink : sinks_) sink->on_event(complete);
}

}  // namespace ota
