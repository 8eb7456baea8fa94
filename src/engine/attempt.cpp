#include "engine/attempt.hpp"

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
    now_.duration_ms = static_cast<uint32_t>(now - since_);
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
    const AttemptRecord& last = log.attempt();
    if (update.stage != UpdateStage::kStaging) return std::nullopt;
    const bool told = last.build_id == update.build_id && last.outcome != Outcome::kRestarted;
    if (told) return std::nullopt;
    // What it had counted, if power was lost right after it had ended well.
    const bool counted = last.build_id == update.build_id;
    AttemptRecord out = counted ? last : AttemptRecord();
    out.outcome = Outcome::kInterrupted;
    out.phase = counted ? State::kApplying : State::kDownloading;
    out.source = update.source;
    out.build_id = update.build_id;
    out.version = update.version;
    out.reset = reset;
    out.count = 1;
    return out;
}

}  // namespace ota
