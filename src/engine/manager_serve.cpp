// What the engine does in turn: commands, channels, timers.
#include "engine/manager.hpp"
#include "engine/state_machine.hpp"

namespace ota {
namespace {

constexpr uint32_t kLongestSpread = 60000;  // ms
constexpr Millis kMediaInterval = 1000;     // how often removable media are looked for

}  // namespace

bool Manager::step(Millis max_wait) {
    Command command;
    const Result<bool> taken = ports_.mailbox.take(command, std::min(max_wait, idle_wait_));
    const bool has_command = taken.ok() && *taken;
    if (stop_asked_) {
        if (has_command) (void)ports_.mailbox.post(command);  // for discard_commands
        discard_commands();
        if (accepts(publisher_.state(), CommandKind::kAbort, false)) session_.abort();
        return false;
    }
    if (has_command) serve(command);
    serve_timers();
    publish_for_peers();
    for (AccessDoor& door : ports_.doors) ports_.access->serve(door);
    idle_wait_ = session_.step();
    step_trial();
    if (trial_.running()) idle_wait_ = std::min(idle_wait_, kTrialInterval);
    if (publisher_.state() != last_state_) {
        // A package that needed no restart has just ended.
        const bool over = last_state_ == State::kApplying && publisher_.state() == State::kIdle;
        if (over) publish_report();
        last_state_ = publisher_.state();
        schedule_check();
    }
    return true;
}

bool Manager::would_accept(CommandKind command) const {
    const EngineSnapshot now = publisher_.read();
    return accepts(now.state, command, now.trial);
}

// The state may have moved since the caller asked; then an event says that nothing was done.
void Manager::serve(const Command& command) {
    if (!accepts(publisher_.state(), command.kind, trial_.running())) {
        const Detail why = trial_.running() ? Detail::kTrialRunning : Detail::kNotNow;
        return publisher_.report({Code::kTryAgain, Origin::kEngine, why});
    }
    switch (command.kind) {
        case CommandKind::kCheck:
            return session_.check();
        case CommandKind::kStartUpdate:
            return session_.start_update();
        case CommandKind::kApply:
            return session_.apply();
        case CommandKind::kAbort:
            return session_.abort();
        case CommandKind::kConfirm:
            confirm_failures_ = 0;
            return keep();
        case CommandKind::kRollback:
            return roll_back();
        case CommandKind::kSetThresholds:
            return set_thresholds(command.thresholds);
        case CommandKind::kStop:
        case CommandKind::kJudge:
            return;  // it has woken the engine
        case CommandKind::kPush:
            return session_.start_push(command.source);
    }
}

// Who publishes may have something to say while a package waits for its turn.
void Manager::serve_channels() {
    const Millis now = ports_.clock.now();
    if (now < next_service_) return;
    next_service_ = now + kMediaInterval;
    for (const UpdateSource& source : sources_) {
        if (source.channel->serve()) session_.withdraw(source);
    }
}

void Manager::serve_timers() {
    const State state = publisher_.state();
    if (!trial_.running()) serve_channels();
    if (!accepts(state, CommandKind::kCheck, trial_.running())) return;
    // Under way, or found already and a person decides.
    if (state == State::kChecking || state == State::kUpdateAvailable) return;
    const Millis now = ports_.clock.now();
    const bool waits = session_.waits();
    // Nothing is begun by itself then, but with what somebody has put in.
    const bool is_closed = is_out_of_window();
    if (was_closed_ && !is_closed) next_check_ = std::max(next_check_, now + opening_pause());
    was_closed_ = is_closed;
    const bool is_timed = settings_.check_interval_ms != 0 && !is_closed;
    bool due = (is_timed || waits) && now >= next_check_;
    if (now >= next_look_) {
        next_look_ = now + kMediaInterval;
        for (const UpdateSource& source : sources_) {
            if (is_closed && !is_medium(source.kind)) continue;
            if (!source.channel->arrived()) continue;
            due = true;
            is_spread_ = false;  // a job may have come to all of them at this moment
        }
    }
    if (!due) return;
    next_check_ = now + settings_.check_interval_ms;
    if (waits) return session_.continue_wait();
    session_.check();
}

// Before what the whole fleet would do at one moment: a quarter of period at most, and a minute.
Millis Manager::short_pause(uint32_t period) {
    return check_jitter_.up_to(std::min(period / 4, kLongestSpread));
}

// When the day's window opens most of the fleet is due: it has a quarter of the window for that.
Millis Manager::opening_pause() {
    const std::optional<UpdateWindow>& window = asked_settings().window;
    const uint32_t minutes = window ? window->minutes : 0;
    return check_jitter_.up_to(std::min(minutes * 60000U, settings_.check_interval_ms) / 4);
}

// The first one is a random part of it, so that units that were powered together check at different
// times from then on.
Millis Manager::next_interval() {
    if (is_spread_) return settings_.check_interval_ms;
    is_spread_ = true;
    return check_jitter_.up_to(settings_.check_interval_ms);
}

// After a failure the next automatic check comes soon, not after the whole interval, and ever later
// when failures go on, however short the interval is.
void Manager::schedule_check() {
    if (settings_.check_interval_ms == 0 && !session_.waits()) return;
    Millis wait =
        publisher_.state() == State::kIdle ? next_interval() : Millis{settings_.check_interval_ms};
    if (publisher_.state() == State::kFailed) {
        is_spread_ = false;  // what failed may have failed for all of them
        wait = std::max(check_backoff_.next(), session_.retry_after());
        // Credentials that are not accepted are not tried more often: accounts get locked.
        const Status why = Status::from_word(publisher_.value().error);
        if (why.is(Code::kUnauthenticated)) {
            wait = std::max<Millis>(wait, settings_.check_interval_ms);
        }
    } else if (publisher_.state() == State::kIdle) {
        check_backoff_.reset();
    }
    next_check_ = ports_.clock.now() + wait;
}

}  // namespace ota
