// Throughout an update: pauses, and how an attempt ends.
#include "engine/session.hpp"
#include "engine/session_limits.hpp"
#include "observe/report_json.hpp"

namespace ota {

// ---------------------------------------------------------------- throughout

// Red: the flow stops where it is, whatever the phase; its timers stand still with it.
bool Session::gate_is_open(Phase phase) {
    const Verdict verdict = c_.gate.check(phase);
    if (verdict.safe()) {
        if (paused_) {
            paused_ = false;
            attempt_.resumed(now() - paused_since_);
            restart_timers();
            c_.publisher.set([](EngineSnapshot& s) { s.paused = false; });
            c_.publisher.notice(Notice::kResumed);
        }
        return true;
    }
    // What was asked before the restart is asked again when it is green: time has passed.
    suit_.section = 0;
    let_go_of_boards();
    if (armed_) {
        // Red between arming and the restart: take it back. The record stays, for the wish does.
        armed_ = false;
        (void)c_.boot.disarm();
    }
    if (!paused_) {
        paused_ = true;
        paused_since_ = now();
        attempt_.paused();
        c_.publisher.set([&](EngineSnapshot& s) {
            s.paused = true;
            s.reading = verdict.reading;
            s.limit = verdict.limit;
        });
        c_.publisher.notice(Notice::kPaused, verdict.reason, verdict);
        return false;
    }
    if (now() - paused_since_ > kLongestPause) {
        fail({Code::kUnsafe, Origin::kSafety, Detail::kPausedTooLong}, verdict);
    } else if (now() - paused_since_ > kKeepOpenInPause) {
        close();
        if (is_source_open()) stage_step_ = reopen_step();
    }
    return false;
}

bool Session::is_source_open() const {
    return stage_step_ == StageStep::kAwaitSource || stage_step_ == StageStep::kPump ||
           stage_step_ == StageStep::kReadHead;
}

Session::StageStep Session::reopen_step() const {
    return stage_step_ == StageStep::kReadHead ? StageStep::kSeek : StageStep::kOpenSource;
}

void Session::abort() {
    conclude(State::kAborted, Outcome::kAborted,
             engine_status(Code::kCancelled, Detail::kAbortedByUser), Verdict::yes());
}

void Session::withdraw(const UpdateSource& source) {
    const State state = c_.publisher.state();
    const bool waits = state == State::kUpdateAvailable || state == State::kDownloading ||
                       state == State::kVerifying || state == State::kReadyToApply ||
                       state == State::kApplying;
    const bool is_own = source_index_ < c_.sources.size() && !rearming_ &&
                        c_.sources[source_index_].channel == source.channel;
    if (!waits || !is_own) return;
    conclude(State::kAborted, Outcome::kAborted,
             {Code::kCancelled, Origin::kSource, Detail::kJobGone}, Verdict::yes());
}

void Session::fail(Status why, const Verdict& verdict) {
    conclude(State::kFailed, Outcome::kFailed, why, verdict);
}

void Session::conclude(State state, Outcome outcome, Status why, const Verdict& verdict) {
    if (paused_) attempt_.resumed(now() - paused_since_);
    forget_wait();
    const bool in_hand = !rearming_;  // else of an earlier boot
    end();
    const bool was_attempt = attempt_.end(outcome, why, verdict);
    attempt_.forget();
    if (was_attempt) mark_told(true);
    c_.publisher.enter(state, why, verdict);
    if (was_attempt) tell_attempt(in_hand);
}

// Of the bytes in the slot: is there a record of how the attempt that brought them ended?
void Session::mark_told(bool told) {
    UpdateRecord record = c_.log.update();
    if (record.stage != UpdateStage::kStaging || record.told == told) return;
    record.told = told;
    (void)c_.log.save(record);
}

void Session::tell_attempt(bool in_hand) {
    const EngineSnapshot& now = c_.publisher.value();
    const bool reverted = now.attempt.outcome == Outcome::kReverted;
    const RevertReason revert = reverted ? now.report_reason : RevertReason::kNone;
    ReportText json;
    format_report_json(now.attempt, revert, json);
    for (size_t i = 0; i < c_.sources.size(); ++i) {
        const bool asked = in_hand ? i == source_index_ : c_.sources[i].kind == now.attempt.source;
        if (asked) c_.sources[i].channel->report({now.attempt, revert, json.view()});
    }
    c_.publisher.tell_attempt();
}

// Lets go of everything the update holds. The staged bytes stay and can be continued.
void Session::end() {
    if (armed_) (void)c_.boot.disarm();
    const UpdateStage stage = c_.log.update().stage;
    if (stage == UpdateStage::kArmed || (rearming_ && stage == UpdateStage::kConfirming)) {
        UpdateRecord record = c_.log.update();
        record.stage = UpdateStage::kStaging;
        (void)c_.log.save(record);
    }
    close();
    c_.app.writer().abort();
    if (suit_.target.kind != ComponentKind::kApp && is_suit()) writer().abort();
    suit_.cipher.close();
    let_go_of_boards();
    armed_ = paused_ = rearming_ = candidate_open_ = judging_ = false;
    verified_.reset();
}

void Session::close() {
    if (source_index_ >= c_.sources.size()) return;
    c_.sources[source_index_].source->close();
    payload_source().close();
}

// What is in the slot is no good: it is never continued, and never looks like an image again.
void Session::give_up_staged(Status why) {
    (void)attempt_.end(Outcome::kFailed, why);  // before the records below: it is never untold
    if (is_circumstance(why)) return;
    drop_parts();
    UpdateRecord record = c_.log.update();
    // Of this package, not of another that lies there still.
    const bool own = rearming_ || record.build_id == payload_.image.build_id ||
                     (is_suit() && record.package_id == suit_.manifest.digest());
    const bool staged =
        own && (record.stage == UpdateStage::kStaging || record.stage == UpdateStage::kArmed ||
                record.stage == UpdateStage::kConfirming);
    // Bytes that lay in the slot over a restart may have rotted there: then a second, whole fetch
    // decides. Findings that come after the digests held are the file's own.
    const bool whole = why.is(Code::kIncompatible) || why.detail() == Detail::kSignatureMissing ||
                       why.detail() == Detail::kSignatureUntrusted;
    // A stream of unknown length may have ended without a trace, before its signature.
    const bool unsized = payload_.size == 0 && !(is_suit() && suit_.has_settings);
    const bool maybe_cut = unsized && why.detail() == Detail::kSignatureMissing;
    // A peer that pushes may have mixed up its blocks.
    const bool pieced = resume_ || continued_ || unsized || pushed_by_.has_value();
    // Nor is what another server delivered. What a job says of a file may be said anew.
    const bool file_unproven = why.is(Code::kStorage) || rearming_ || maybe_cut || is_from_web() ||
                               why.detail() == Detail::kCodeSignature || (pieced && !whole);
    if (!file_unproven) refuse_file(whole);
    if (!staged) return;
    record.stage = file_unproven ? UpdateStage::kDropped : UpdateStage::kRefused;
    if (!file_unproven) record.digest = c_.device.judge_id;
    (void)c_.log.save(record);
    // A package for boards alone has not touched the slot.
    if (!rearming_ && is_suit() && !suit_.has_app) return;
    (void)c_.app.wipe_standby();
    (void)c_.verifier.begin(0, {});  // what it saw is not there any more
}

// Not fetched again unless a person asks. For good: what its bytes say is wrong, not how they came.
void Session::refuse_file(bool for_good) {
    refused_[next_refused_++ % refused_.size()] = {payload_.source_identity,
                                                   payload_.image.build_id};
    if (!for_good || info_.validator.tag.empty()) return;
    unwanted_[source_index_] = {info_.validator,
                                {Code::kNoUpdate, Origin::kVerify, Detail::kRefusedBefore}};
    (void)c_.log.save(SeenRecord{info_.validator, true, c_.device.judge_id});
}

}  // namespace ota
