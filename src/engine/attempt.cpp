#include "engine/attempt.hpp"

#include <algorithm>
#include <limits>

namespace ota {

void Attempt::begin() {
    now_ = AttemptRecord();
    since_ = clock_.now();
    stage_ = Stage::kRunning;
    touched_ = false;
}

void Attempt::about(SourceKind source, const Digest& build_id, const VersionText& version) {
    now_.source = source;
    now_.build_id = build_id;
    now_.version = version;
}

void Attempt::take_up(const AttemptRecord& record) {
    begin();
    now_ = record;
    touched_ = true;
}

namespace {

// Counters stop at their end instead of beginning anew.
template <typename Counter>
void add(Counter& counter, uint64_t more) {
    constexpr uint64_t kMost = std::numeric_limits<Counter>::max();
    counter = static_cast<Counter>(std::min<uint64_t>(kMost, counter + std::min(more, kMost)));
}

}  // namespace

void Attempt::resumed_at(uint64_t offset) {
    // What this attempt itself brought is not "there before".
    if (now_.received == 0) now_.resumed_at = static_cast<uint32_t>(offset);
}

void Attempt::received(size_t bytes) {
    add(now_.received, bytes);
}

void Attempt::retried() {
    add(now_.retries, 1);
}

void Attempt::paused() {
    add(now_.pauses, 1);
}

void Attempt::resumed(Millis pause) {
    add(now_.paused_ms, pause);
}

void Attempt::component(ComponentRef which, ComponentOutcome outcome, Detail why) {
    for (ComponentResult& result : now_.components) {
        if (result.component == which) result = {which, outcome, why};
    }
}

ComponentOutcome Attempt::outcome_of(ComponentRef which) const {
    for (const ComponentResult& result : now_.components) {
        if (result.component == which) return result.outcome;
    }
    return ComponentOutcome::kNotReached;
}

bool Attempt::end(Outcome outcome, Status why, const Verdict& verdict) {
    if (stage_ == Stage::kNone) return false;
    if (stage_ == Stage::kEnded && now_.outcome == outcome) return true;
    stage_ = Stage::kEnded;
    const Millis now = clock_.now();
    now_.outcome = outcome;
    now_.phase = publisher_.state();
    now_.why = why;
    now_.reading = verdict.reading;
    now_.limit = verdict.limit;
    now_.duration_ms = 0;
    add(now_.duration_ms, now - since_);
    now_.count = ++unrecorded_;
    publisher_.set([&](EngineSnapshot& s) { s.attempt = now_; });
    if (!touched_ && now < next_summary_) return true;
    if (!touched_) next_summary_ = now + kSummaryInterval;
    // It tells, and nothing hangs on it: a journal that fails does not fail the update.
    if (log_.save(now_).ok()) unrecorded_ = 0;
    return true;
}

AttemptRecord attempt_with_end(const AttemptRecord& attempt, const UpdateRecord& update) {
    AttemptRecord out = attempt;
    const bool same = attempt.build_id == update.build_id;
    if (attempt.outcome != Outcome::kRestarted || !same) return out;
    if (update.stage == UpdateStage::kConfirmed) out.outcome = Outcome::kConfirmed;
    if (update.stage == UpdateStage::kReverted) out.outcome = Outcome::kReverted;
    if (update.stage == UpdateStage::kKept) out.outcome = Outcome::kKept;
    if (update.reset) out.reset = update.reset;
    return out;
}

std::optional<AttemptRecord> interrupted_attempt(const UpdateLog& log, ResetReason reset) {
    const UpdateRecord& update = log.update();
    if (update.stage != UpdateStage::kStaging || update.told) return std::nullopt;
    // Its end was recorded, and power was lost before what follows from it.
    const Outcome last = log.attempt().outcome;
    const bool ended =
        last == Outcome::kFailed || last == Outcome::kAborted || last == Outcome::kConfirmed;
    const bool own = log.attempt().build_id == update.build_id;
    if (ended && own && log.attempt_is_newer()) return std::nullopt;
    AttemptRecord out;
    out.outcome = Outcome::kInterrupted;
    out.phase = State::kDownloading;
    out.source = update.source;
    out.build_id = update.build_id;
    out.version = update.version;
    out.reset = reset;
    out.count = 1;
    return out;
}

}  // namespace ota
