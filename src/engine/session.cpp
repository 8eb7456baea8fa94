// The first part of an update: 1 poll, 2 admit. 3 stage is in session_stage.cpp, 4 verify and
// 5 activate in session_install.cpp, what SUIT packages add in session_suit.cpp,
// session_components.cpp, session_boards.cpp and session_conditions.cpp, pauses and ends in
// session_end.cpp; what comes after the restart, 6 settle, is boot/trial and manager_settle.cpp.
#include "engine/session.hpp"

#include "engine/session_limits.hpp"

namespace ota {

void Session::check() {
    if (c_.publisher.state() == State::kChecking) return;  // its outcome serves this call too
    begin_round(false);
    c_.publisher.enter(State::kChecking);
}

void Session::start_update() {
    if (c_.publisher.state() == State::kUpdateAvailable) return begin_staging();
    const bool checking = c_.publisher.state() == State::kChecking;
    if (checking && (asked_ || pushed_by_)) {
        continue_to_stage_ = true;
        return;
    }
    if (candidate_open_) close();
    begin_round(true);
    if (!checking) c_.publisher.enter(State::kChecking);
}

void Session::begin_round(bool asked) {
    if (judging_) let_go_of_boards();
    asked_ = asked;
    retry_after_ = 0;
    continue_to_stage_ = asked || c_.settings.automatic_update;
    source_index_ = 0;
    pushed_by_.reset();
    apply_when_ready_ = waiting_ = continues_wait_ = false;
    refusal_ = {};
    refused_image_ = ImageIdentity();
    has_image_ = false;
    candidate_open_ = up_to_date_ = judging_ = false;
    if (asked) {
        attempt_.begin();
    } else {
        attempt_.forget();
    }
    for (const UpdateSource& source : c_.sources) source.channel->rewind();
    c_.publisher.set([](EngineSnapshot& s) {
        ++s.rounds;
        s.offered_version[0] = s.offered_notes[0] = '\0';
        s.offered_size = s.received = s.total = s.durable = 0;
    });
}

void Session::start_push(SourceKind kind) {
    begin_round(false);
    pushed_by_ = kind;
    continue_to_stage_ = true;
    c_.publisher.enter(State::kChecking);
}

bool Session::takes_part(const UpdateSource& source) const {
    return pushed_by_ ? source.kind == *pushed_by_ : !is_pushed(source.kind);
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
    if (is_suit() && judging_) {
        const Status verdict = judge_suit();
        if (verdict.is(Code::kTryAgain)) return suit_.on_bus ? kPoll : kNow;
        finish_judging(verdict);
        return kNow;
    }
    if (candidate_open_) {
        const size_t before = prefix_filled_;
        read_candidate();
        return candidate_open_ && prefix_filled_ == before ? kPoll : kNow;
    }
    if (source_index_ == c_.sources.size()) {
        conclude_check();
        return kNow;
    }
    if (!takes_part(c_.sources[source_index_])) {
        ++source_index_;
        return kNow;
    }
    Offer offer;
    const Result<bool> polled = c_.sources[source_index_].channel->poll(offer);
    if (polled.status().is(Code::kTryAgain)) return kPoll;
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
    if (!started.ok()) {
        c_.sources[source_index_].channel->refused(started);
        return refuse_candidate(started);
    }
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
        is_suit() && prefix_filled_ == kPackagePrefixSize && !asked_for_more_;
    if (!asked_for_little) {
        return refuse_candidate({Code::kMalformed, Origin::kPackage,
                                 is_suit() ? Detail::kCborTruncated : Detail::kImageLength});
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
    if (is_suit_ && !build::kSuit) {
        return refuse_candidate({Code::kIncompatible, Origin::kPackage, Detail::kLeftOut});
    }
    if (!is_suit()) {
        if (prefix_filled_ == kPackagePrefixSize) judge_candidate();
        return;
    }
    const Status parsed = parse_suit_prefix(have, suit_.prefix);
    if (parsed.ok()) return judge_candidate();
    if (!parsed.is(Code::kTryAgain)) return refuse_candidate(parsed);
    if (prefix_filled_ == kPackagePrefixSize) prefix_wanted_ = kMaxEnvelopePrefix;
}

void Session::judge_candidate() {
    const auto begin = [&]() -> Status {
        info_ = SourceInfo();  // nothing of the candidate before
        OTA_TRY(c_.sources[source_index_].source->info(info_));
        payload_ = Payload();
        return is_suit() ? begin_suit() : judge_image();
    };
    const Status begun = begin();
    judging_ = is_suit() && begun.ok();
    candidate_since_ = now();  // of asking the boards
    if (!judging_) finish_judging(begun);
}

void Session::finish_judging(Status judged) {
    if (judging_) let_go_of_boards();
    judging_ = false;
    const auto judge = [&]() -> Status {
        has_image_ = !payload_.image.version.empty();
        OTA_TRY(judged);
        if (asked_) return {};
        OTA_TRY(check_boards_rest());
        OTA_TRY(check_not_rejected(payload_.image, c_.log.rejected()));
        return was_refused() ? Status{Code::kNoUpdate, Origin::kVerify, Detail::kRefusedBefore}
                             : kOkStatus;
    };
    const Status verdict = judge();
    if (is_unwanted(verdict)) unwanted_[source_index_] = {info_.validator, verdict};
    if (!verdict.ok()) return refuse_candidate(verdict);
    hold_to_wait();
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
    OTA_TRY(c_.parts.config_status);  // it would be handed on
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
        c_.sources[source_index_].channel->refused(why);
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
    return why.is(Code::kUnsafe) || why.origin() == Origin::kModules ||
           why.detail() == Detail::kBuildTimeAhead || why.detail() == Detail::kExpired ||
           why.detail() == Detail::kClockNotSet || why.detail() == Detail::kEncryptionKey ||
           why.detail() == Detail::kConfigDamaged || why.detail() == Detail::kNoHttpsSource;
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

}  // namespace ota
