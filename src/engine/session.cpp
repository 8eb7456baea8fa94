// The first part of an update: 1 poll, 2 admit. 3 stage, 4 verify, 5 activate are in
// session_install.cpp; what comes after the restart, 6 settle, is boot/trial.
#include "engine/session.hpp"

#include "engine/session_limits.hpp"
#include "observe/report_json.hpp"

namespace ota {

void Session::check() {
    if (c_.publisher.state() == State::kChecking) return;  // its outcome serves this call too
    begin_round(false);
    c_.publisher.enter(State::kChecking);
}

void Session::start_update() {
    if (c_.publisher.state() == State::kUpdateAvailable) return begin_staging();
    const bool checking = c_.publisher.state() == State::kChecking;
    if (checking && asked_) {
        continue_to_stage_ = true;
        return;
    }
    if (candidate_open_) close();
    begin_round(true);
    if (!checking) c_.publisher.enter(State::kChecking);
}

void Session::begin_round(bool asked) {
    asked_ = asked;
    retry_after_ = 0;
    continue_to_stage_ = asked || c_.settings.automatic_update;
    source_index_ = 0;
    apply_when_ready_ = waiting_ = false;
    refusal_ = {};
    refused_image_ = ImageIdentity();
    has_image_ = false;
    candidate_open_ = up_to_date_ = false;
    if (asked) {
        attempt_.begin();
    } else {
        attempt_.forget();
    }
    for (const UpdateSource& source : c_.sources) source.channel->rewind();
    c_.publisher.set([](EngineSnapshot& s) {
        s.offered_version[0] = s.offered_notes[0] = '\0';
        s.offered_size = s.received = s.total = 0;
    });
}

void Session::apply() {
    c_.publisher.enter(State::kApplying);
}

Millis Session::step() {
    switch (c_.publisher.state()) {
        case State::kChecking:
            return step_check();
        case State::kDownloading:
            return step_stage();
        case State::kVerifying:
            return step_verify();
        case State::kApplying:
            return step_apply();
        case State::kComplete:
        case State::kRebooting:
            return step_reboot();
        default:
            return kRest;
    }
}

// ---------------------------------------------------------------- 1 poll, 2 admit

Millis Session::step_check() {
    if (candidate_open_) {
        const size_t before = prefix_filled_;
        read_candidate();
        return candidate_open_ && prefix_filled_ == before ? kPoll : kNow;
    }
    if (source_index_ == c_.sources.size()) {
        conclude_check();
        return kNow;
    }
    Offer offer;
    const Result<bool> polled = c_.sources[source_index_].channel->poll(offer);
    if (!polled.ok()) refuse_candidate(polled.status());
    if (!polled.ok() || !*polled) {
        ++source_index_;
        return kNow;
    }
    open_candidate(offer);
    return kNow;
}

void Session::open_candidate(const Offer& offer) {
    where_ = offer.where;
    Source& source = *c_.sources[source_index_].source;
    const auto known = known_packages();
    const Status started =
        source.start({where_, 0, kPackagePrefixSize, {known.begin(), known.size()}});
    if (!started.ok()) return refuse_candidate(started);
    candidate_open_ = true;
    has_image_ = false;
    attempt_.about(c_.sources[source_index_].kind, Digest{}, VersionText());
    prefix_filled_ = 0;
    prefix_wanted_ = kPackagePrefixSize;
    is_suit_ = asked_for_more_ = false;
    last_data_ = candidate_since_ = now();
}

// What need not be delivered again: what runs, what was refused for good, and what this source
// offered last in vain. Nothing when a person asked: a tag may be wrong, too.
FixedVector<Validator, 2> Session::known_packages() const {
    FixedVector<Validator, 2> known;
    if (asked_) return known;
    const SeenRecord& seen = c_.log.seen();
    const Digest& judge = seen.refused ? c_.device.judge_id : c_.device.build_id;
    if (seen.build_id == judge) (void)known.push_back(seen.validator);
    const Validator& unwanted = unwanted_[source_index_].validator;
    const bool listed = !known.empty() && known[0] == unwanted;
    if (!listed) (void)known.push_back(unwanted);
    return known;
}

// Reads only as much as it takes to know what is offered.
void Session::read_candidate() {
    const MutableBytes room =
        MutableBytes(c_.workspace.prefix).first(prefix_wanted_).subspan(prefix_filled_);
    const Result<size_t> n = c_.sources[source_index_].source->read(room);
    if (n.status().is(Code::kTryAgain)) return;
    if (n.ok() && *n != 0) last_data_ = now();
    if (now() - last_data_ > kStallTimeout || now() - candidate_since_ > kCheckTimeout) {
        const Detail why = prefix_filled_ == 0 ? Detail::kNoAnswer : Detail::kStalled;
        return refuse_candidate({Code::kTimeout, Origin::kSource, why});
    }
    if (!n.ok()) return end_of_candidate(n.status());
    prefix_filled_ += *n;
    if (*n != 0) look_at_prefix();
}

// The source has no more of what it was asked for. Of an envelope that may have been too little.
void Session::end_of_candidate(Status why) {
    if (!why.is(Code::kEndOfData)) return refuse_candidate(why);
    const bool asked_for_little =
        is_suit_ && prefix_filled_ == kPackagePrefixSize && !asked_for_more_;
    if (!asked_for_little) {
        return refuse_candidate({Code::kMalformed, Origin::kPackage,
                                 is_suit_ ? Detail::kCborTruncated : Detail::kImageLength});
    }
    asked_for_more_ = true;
    Source& source = *c_.sources[source_index_].source;
    const Status more =
        source.start({where_, prefix_filled_, kMaxEnvelopePrefix - prefix_filled_, {}});
    if (!more.ok()) refuse_candidate(more);
}

// Is enough of it there to know what it is?
void Session::look_at_prefix() {
    const Bytes have = Bytes(c_.workspace.prefix).first(prefix_filled_);
    is_suit_ = detect_format(have) == PackageFormat::kSuit;
    if (!is_suit_) {
        if (prefix_filled_ == kPackagePrefixSize) judge_candidate();
        return;
    }
    const Status parsed = parse_suit_prefix(have, suit_.prefix);
    if (parsed.ok()) return judge_candidate();
    if (!parsed.is(Code::kTryAgain)) return refuse_candidate(parsed);
    if (prefix_filled_ == kPackagePrefixSize) prefix_wanted_ = kMaxEnvelopePrefix;
}

void Session::judge_candidate() {
    const auto judge = [&]() -> Status {
        OTA_TRY(c_.sources[source_index_].source->info(info_));
        payload_ = Payload();
        const Status judged = is_suit_ ? judge_suit() : judge_image();
        has_image_ = !payload_.image.version.empty();
        OTA_TRY(judged);
        if (asked_) return {};
        OTA_TRY(check_not_rejected(payload_.image, c_.log.rejected()));
        return was_refused() ? Status{Code::kNoUpdate, Origin::kVerify, Detail::kRefusedBefore}
                             : kOkStatus;
    };
    const Status verdict = judge();
    if (is_unwanted(verdict)) unwanted_[source_index_] = {info_.validator, verdict};
    if (!verdict.ok()) return refuse_candidate(verdict);
    note_time();
    close();
    candidate_open_ = false;
    c_.publisher.set([&](EngineSnapshot& s) {
        std::memcpy(s.offered_version, payload_.image.version.c_str(), sizeof s.offered_version);
        std::memcpy(s.offered_notes, info_.notes.c_str(), sizeof s.offered_notes);
        s.offered_size = static_cast<uint32_t>(payload_.size);
    });
    c_.publisher.enter(State::kUpdateAvailable);
    if (continue_to_stage_) begin_staging();
}

Status Session::judge_image() {
    const Bytes prefix = Bytes(c_.workspace.prefix).first(kPackagePrefixSize);
    OTA_TRY(describe_package(prefix, info_, payload_));
    OTA_TRY(admit(payload_.image, payload_.size, c_.device));
    return check_build_time();
}

// Remembers the reason that tells most: a real fault before "not newer". That older files lie
// beside the running version is no fault.
void Session::refuse_candidate(Status why) {
    retry_after_ = std::max(retry_after_, c_.sources[source_index_].source->retry_after());
    if (candidate_open_) {
        note_time();
        why = why_unwanted(why);
        close();
    }
    candidate_open_ = false;
    up_to_date_ =
        up_to_date_ || why.detail() == Detail::kVersionSame || why.detail() == Detail::kNotModified;
    // Nothing, not newer, older, a real fault: each tells more than the one before.
    const auto weight = [](Status status) {
        if (status.ok()) return 0;
        if (status.is(Code::kNoUpdate)) return 1;
        return status.detail() == Detail::kVersionOlder ? 2 : 3;
    };
    if (weight(why) <= weight(refusal_)) return;
    refusal_ = why;
    refused_by_ = c_.sources[source_index_].kind;
    refused_image_ = has_image_ ? payload_.image : ImageIdentity();
}

// Findings that stay the same for as long as the package does: it is not looked at again. What a
// broken transfer can cause is none of them, nor what another time of day would change.
bool Session::is_unwanted(Status why) const {
    if (is_circumstance(why)) return false;
    return why.is(Code::kNoUpdate) || why.is(Code::kIncompatible) || why.is(Code::kNoSpace);
}

// What another time or another state of the plant would change: it says nothing about the package.
bool Session::is_circumstance(Status why) {
    return why.is(Code::kUnsafe) || why.detail() == Detail::kBuildTimeAhead ||
           why.detail() == Detail::kExpired || why.detail() == Detail::kClockNotSet;
}

// An image from the future would make this device take its clock for unset, and judge certificates
// at the wrong time.
Status Session::check_build_time() const {
    const UnixTime wall = c_.clock.wall();
    const bool ahead = payload_.image.built_at > wall + kBuildTimeSlack;
    if (!c_.floor.is_set(wall) || !ahead) return {};
    return {Code::kIncompatible, Origin::kVerify, Detail::kBuildTimeAhead};
}

// "Unchanged" is told as what was found out before, where that is known.
Status Session::why_unwanted(Status why) const {
    if (why.detail() != Detail::kNotModified) return why;
    SourceInfo again;
    (void)c_.sources[source_index_].source->info(again);
    const Unwanted& unwanted = unwanted_[source_index_];
    return again.validator == unwanted.validator ? unwanted.why : why;
}

// The time at which a peer has proven itself is a floor for the next boot, whose clock may know
// nothing. Only such a time: one that nobody proved could lie in the far future and make every
// certificate look expired.
void Session::note_time() {
    SourceInfo seen;
    (void)c_.sources[source_index_].source->info(seen);
    // Also backwards: a clock that was wrong is corrected by one that is right.
    if (seen.proven_time == 0) return;
    if (std::abs(seen.proven_time - c_.log.known_time()) < kSaveTimeInterval) return;
    if (!c_.log.save_time(seen.proven_time).ok()) return;
    c_.floor.proven = seen.proven_time;
}

void Session::conclude_check() {
    if (up_to_date_ && refusal_.detail() == Detail::kVersionOlder) {
        refusal_ = {Code::kNoUpdate, Origin::kVerify, Detail::kVersionSame};
    }
    if (refusal_.ok()) refusal_ = engine_status(Code::kNoUpdate, Detail::kNothingOffered);
    if (!refusal_.is(Code::kNoUpdate)) {
        attempt_.about(refused_by_, refused_image_.build_id, refused_image_.version);
        return fail(refusal_);
    }
    c_.publisher.enter(State::kIdle, refusal_);
}

bool Session::was_refused() const {
    const UpdateRecord& record = c_.log.update();
    // By the same judge: another firmware, or other keys, may find otherwise.
    const RefusedFile file{payload_.source_identity, payload_.image.build_id};
    const RefusedFile recorded{record.source_identity, record.build_id};
    const bool same_judge = record.digest == c_.device.judge_id;
    if (record.stage == UpdateStage::kRefused && same_judge && recorded == file) return true;
    return std::find(refused_.begin(), refused_.end(), file) != refused_.end();
}

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

void Session::fail(Status why, const Verdict& verdict) {
    conclude(State::kFailed, Outcome::kFailed, why, verdict);
}

void Session::conclude(State state, Outcome outcome, Status why, const Verdict& verdict) {
    if (paused_) attempt_.resumed(now() - paused_since_);
    forget_wait();
    end();
    const bool was_attempt = attempt_.end(outcome, why, verdict);
    attempt_.forget();
    if (was_attempt) mark_told(true);
    c_.publisher.enter(state, why, verdict);
    if (was_attempt) tell_attempt(true);
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
    armed_ = paused_ = rearming_ = candidate_open_ = false;
    verified_.reset();
}

void Session::close() {
    if (source_index_ < c_.sources.size()) c_.sources[source_index_].source->close();
}

// What is in the slot is no good: it is never continued, and never looks like an image again.
void Session::give_up_staged(Status why) {
    (void)attempt_.end(Outcome::kFailed, why);  // before the records below: it is never untold
    if (is_circumstance(why)) return;
    UpdateRecord record = c_.log.update();
    // Of this package, not of another that lies there still.
    const bool own = rearming_ || record.build_id == payload_.image.build_id ||
                     (is_suit_ && record.package_id == suit_.manifest.digest());
    const bool staged =
        own && (record.stage == UpdateStage::kStaging || record.stage == UpdateStage::kArmed ||
                record.stage == UpdateStage::kConfirming);
    // Bytes that lay in the slot over a restart may have rotted there: then a second, whole fetch
    // decides. Findings that come after the digests held are the file's own.
    const bool whole = why.is(Code::kIncompatible) || why.detail() == Detail::kSignatureMissing ||
                       why.detail() == Detail::kSignatureUntrusted;
    // A stream of unknown length may have ended without a trace, before its signature.
    const bool unsized = payload_.size == 0;
    const bool maybe_cut = unsized && why.detail() == Detail::kSignatureMissing;
    const bool pieced = resume_ || continued_ || unsized;
    const bool file_unproven =
        why.is(Code::kStorage) || rearming_ || maybe_cut || (pieced && !whole);
    if (!file_unproven) refuse_file(whole);
    if (!staged) return;
    record.stage = file_unproven ? UpdateStage::kDropped : UpdateStage::kRefused;
    if (!file_unproven) record.digest = c_.device.judge_id;
    (void)c_.log.save(record);
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
