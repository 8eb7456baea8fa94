// The second part of an update: 3 stage, 4 verify, 5 activate.
#include "engine/session.hpp"
#include "engine/session_limits.hpp"
#include "wire/sha256.hpp"

namespace ota {

// ---------------------------------------------------------------- 3 stage

void Session::begin_staging() {
    told_restart_ = resume_ = continued_ = stands_in_wait_ = false;
    attempt_.begin();
    attempt_.about(c_.sources[source_index_].kind, payload_.image.build_id, payload_.image.version);
    const Verdict verdict = c_.gate.check(Phase::kDownload);
    if (!verdict.safe()) return fail(verdict.reason, verdict);
    stage_step_ = StageStep::kOpenSlot;
    if (is_suit_) begin_commands();
    retries_ = 0;
    retry_at_ = retry_after_ = 0;
    backoff_.reset();
    c_.publisher.enter(State::kDownloading);
}

Millis Session::step_stage() {
    if (!gate_is_open(Phase::kInstall)) return kPausePoll;
    if (now() < retry_at_) return std::min(retry_at_ - now(), kPausePoll);
    const auto run = [&]() -> Status {
        switch (stage_step_) {
            case StageStep::kCommand:
                return run_command();
            case StageStep::kSeek:
                return seek();
            case StageStep::kReadHead:
                return read_head();
            case StageStep::kOpenSlot:
                return open_slot();
            case StageStep::kPrepare:
                return prepare_slot();
            case StageStep::kOpenSource:
                return open_source();
            case StageStep::kAwaitSource:
                return await_source();
            case StageStep::kPump:
                return pump();
        }
        return engine_status(Code::kInternal, Detail::kNone);
    };
    const Status status = run();
    if (status.ok()) return kNow;
    if (status.is(Code::kTryAgain)) return is_source_open() || suit_.on_bus ? kPoll : kNow;
    const bool transient =
        status.is(Code::kUnavailable) || status.is(Code::kTimeout) || status.is(Code::kBusy);
    retry_after_ = payload_source().retry_after();
    if (transient && retries_ < kMaxRetries && retry_after_ <= kLongestRetryWait) {
        return retry_later();
    }
    // What the peer answers says nothing about the bytes in the slot. Also when the package seems
    // to have changed: the next look finds out whether it is the same build.
    const bool peer = status.origin() == Origin::kSource;
    blame(suit_.at, status);
    if (!transient && !peer) give_up_staged(status);
    fail(status);
    return kNow;
}

// Makes sure that nothing boots what the slot is about to become.
Status Session::open_slot() {
    if (is_suit_ && suit_.target.kind != ComponentKind::kApp) return open_part();
    attempt_.touched();
    resume_ = may_resume();
    continued_ = false;
    OTA_TRY(c_.boot.invalidate_standby());
    if (resume_ && !is_suit_) {
        bool same = false;
        OTA_TRY(same_prefix(same));
        resume_ = same;
    }
    Expectation expected = c_.settings.expected;
    if (is_suit_) {
        expected.signed_sha256 = suit_.digest;  // what lies beside the file is about the envelope
    } else {
        if (!expected.sha256) expected.sha256 = info_.expected_sha256;
        if (!expected.md5) expected.md5 = info_.expected_md5;
    }
    OTA_TRY(c_.verifier.begin(payload_.size, expected));
    c_.app.writer().abort();
    stage_step_ = StageStep::kPrepare;
    return {};
}

bool Session::may_resume() const {
    const UpdateRecord& record = c_.log.update();
    // The same build by another name or tag is the same build: servers behind one address may tag
    // it differently. Should it be another one after all, its digest tells, and it is fetched
    // whole.
    const bool same_size = record.size == payload_.size || payload_.size == 0;
    return record.stage == UpdateStage::kStaging && record.slot == c_.app.standby() && same_size &&
           record.build_id == payload_.image.build_id;
}

// The journal says so; flash has to agree.
Status Session::same_prefix(bool& same) {
    std::array<uint8_t, kPackagePrefixSize> prefix;
    OTA_TRY(c_.app.standby_image().read_at(0, prefix));
    Digest build;
    OTA_TRY(sha256(prefix, build));
    same = build == payload_.image.build_id;
    return {};
}

Status Session::prepare_slot() {
    OTA_TRY_ASSIGN(offset_, writer().prepare(payload_, resume_));
    attempt_.resumed_at(offset_);
    // From here on flash holds bytes of this payload alone: recorded before the first one lands.
    if (is_suit_ && suit_.target.kind != ComponentKind::kApp) {
        OTA_TRY(record_part());
    } else if (!resume_) {
        OTA_TRY(c_.log.save(staging_record()));
    }
    if (is_own_record()) mark_told(false);
    suit_.cipher.close();
    if (is_suit_ && !suit_.encryption.empty()) {
        OTA_TRY(suit_.cipher.open(suit_.encryption, c_.settings.payload_keys, offset_));
    }
    reader_.begin(payload_.size, offset_);
    OTA_TRY(begin_payload(payload_));
    stage_step_ = StageStep::kOpenSource;
    return {};
}

// Does the journal's record speak of the package in hand?
bool Session::is_own_record() const {
    const UpdateRecord& record = c_.log.update();
    if (record.stage != UpdateStage::kStaging) return false;
    return is_suit_ ? record.package_id == suit_.manifest.digest()
                    : record.build_id == payload_.image.build_id;
}

UpdateRecord Session::staging_record() const {
    UpdateRecord record;
    record.stage = UpdateStage::kStaging;
    record.slot = c_.app.standby();
    record.previous = c_.publisher.value().running;
    record.size = static_cast<uint32_t>(payload_.size);
    record.source_identity = payload_.source_identity;
    record.build_id = payload_.image.build_id;
    record.version = payload_.image.version;
    record.source = c_.sources[source_index_].kind;
    if (is_suit_) {
        record.package_id = suit_.manifest.digest();
        record.sequence_number = suit_.manifest.sequence_number();
    }
    const UpdateRecord& last = c_.log.update();
    const bool same =
        last.build_id == record.build_id || (is_suit_ && last.package_id == record.package_id);
    if (same && !asked_) record.attempts = last.attempts;
    return record;
}

Status Session::open_source() {
    if (is_suit_ && suit_.from == SuitPackage::From::kStage) {
        restart_timers();
        stage_step_ = StageStep::kPump;
        return {};
    }
    continued_ = continued_ || reader_.position() != offset_;
    const uint64_t length = is_suit_ ? payload_.size - reader_.position() : kToEnd;
    OTA_TRY(payload_source().start(
        {payload_place(), payload_at() + reader_.position(), length, {}, is_from_web()}));
    restart_timers();
    stage_step_ = StageStep::kAwaitSource;
    return {};
}

// Nothing is read before the peer has said that it is the same package still.
Status Session::await_source() {
    OTA_TRY(is_from_web() ? same_web_file() : same_package(payload_source()));
    restart_timers();
    stage_step_ = StageStep::kPump;
    return {};
}

Status Session::same_package(Source& source) {
    SourceInfo again;
    const Status known = source.info(again);
    if (known.is(Code::kTryAgain)) OTA_TRY(check_pace());
    OTA_TRY(known);
    if (again.identity != payload_.source_identity) {
        return {Code::kMalformed, Origin::kSource, Detail::kFileChanged};
    }
    return {};
}

Status Session::pump() {
    MutableBytes room = c_.workspace.io;
    if (is_suit_) {
        const uint64_t left = payload_.size - reader_.position();
        room = room.first(static_cast<size_t>(std::min<uint64_t>(room.size(), left)));
    }
    const Result<size_t> n = read_payload(room);
    if (n.status().is(Code::kTryAgain)) {
        restart_timers();
        return n.status();
    }
    if (n.status().is(Code::kEndOfData)) return end_of_stream();
    if (!n.ok()) return n.status();
    if (*n != 0) last_data_ = now();
    OTA_TRY(check_pace());
    if (*n == 0) return engine_status(Code::kTryAgain, Detail::kNone);
    if (suit_.cipher.is_open()) OTA_TRY(suit_.cipher.apply(room.first(*n)));
    OTA_TRY(reader_.feed(Bytes(c_.workspace.io).first(*n)));
    if (reader_.position() >= retried_at_ + kProgressOfRetry) {
        retries_ = 0;
        backoff_.reset();
    }
    const bool over = is_suit_ && reader_.position() == payload_.size;
    return over ? end_of_suit_payload() : kOkStatus;
}

Result<size_t> Session::read_payload(MutableBytes room) {
    if (is_suit_ && suit_.from == SuitPackage::From::kStage) {
        OTA_TRY(c_.parts.stage.image().read_at(reader_.position(), room));
        return room.size();
    }
    const Result<size_t> n = payload_source().read(room);
    if (n.ok()) attempt_.received(*n);
    return n;
}

// Where in its file the image begins.
uint64_t Session::payload_at() const {
    return is_suit_ && !is_from_web() ? suit_.file_at : 0;
}

bool Session::is_from_web() const {
    return is_suit_ && suit_.from == SuitPackage::From::kWeb;
}

// Who delivers the payload: of what a manifest fetches from elsewhere, the HTTPS source.
Source& Session::payload_source() {
    const UpdateSource* const web = web_source();
    return is_from_web() && web != nullptr ? *web->source : *c_.sources[source_index_].source;
}

const UpdateSource* Session::web_source() const {
    for (const UpdateSource& source : c_.sources) {
        if (source.kind == SourceKind::kHttps) return &source;
    }
    return nullptr;
}

Location Session::payload_place() const {
    return is_from_web() ? Location{suit_.uri.view()} : where_;
}

// Its digest is in the manifest; only what was read in this attempt must not be mixed.
Status Session::same_web_file() {
    SourceInfo again;
    const Status known = payload_source().info(again);
    if (known.is(Code::kTryAgain)) OTA_TRY(check_pace());
    OTA_TRY(known);
    const bool other_size = again.size != 0 && again.size != suit_.size;
    if (other_size) return {Code::kMalformed, Origin::kSource, Detail::kImageSize};
    if (!suit_.web_identity) suit_.web_identity = again.identity;
    if (*suit_.web_identity == again.identity) return {};
    return {Code::kMalformed, Origin::kSource, Detail::kFileChanged};
}

// Time in which the peer was waited for, and how little came of it.
Status Session::check_pace() {
    const bool answered = stage_step_ == StageStep::kPump;
    const Status too_slow{Code::kTimeout, Origin::kSource,
                          answered ? Detail::kStalled : Detail::kNoAnswer};
    if (now() - last_data_ > kStallTimeout) return too_slow;
    if (now() - window_start_ < kRateWindow) return {};
    if (reader_.position() - window_position_ < kMinBytesPerWindow) return too_slow;
    window_start_ = now();
    window_position_ = reader_.position();
    return {};
}

void Session::restart_timers() {
    last_data_ = window_start_ = now();
    window_position_ = reader_.position();
}

Status Session::end_of_stream() {
    OTA_TRY(reader_.end());
    close();
    if (payload_.size == 0 && !c_.verifier.is_whole()) {
        // The size was unknown, and the connection ended too early: flash tells where to go on.
        stage_step_ = StageStep::kOpenSlot;
        return {Code::kUnavailable, Origin::kSource, Detail::kConnectionLost};
    }
    show_progress(reader_.position());
    c_.publisher.enter(State::kVerifying);
    return {};
}

// Of all components together, where there are several.
void Session::show_progress(uint64_t position) {
    if (!is_suit_) return c_.publisher.progress(position, reader_.size());
    suit_.total = std::max(suit_.total, suit_.done + position);
    c_.publisher.progress(suit_.done + position, suit_.total);
}

Millis Session::retry_later() {
    close();
    ++retries_;
    attempt_.retried();
    retried_at_ = reader_.position();
    retry_at_ = now() + std::max(backoff_.next(), retry_after_);
    // Before the slot is prepared everything starts over; later it continues where it was.
    if (is_source_open()) stage_step_ = reopen_step();
    return kNow;
}

Status Session::begin_payload(const Payload&) {
    last_progress_ = now();
    show_progress(offset_);
    return {};
}

Status Session::payload(Bytes bytes) {
    OTA_TRY(writer().write(bytes));
    if (now() - last_progress_ < kProgressInterval) return {};
    last_progress_ = now();
    show_progress(reader_.position() + bytes.size());
    return {};
}

Status Session::end_payload() {
    return writer().finish();
}

// ---------------------------------------------------------------- 4 verify

// For the report: which component it failed at.
void Session::blame(ComponentRef component, Status why) {
    if (!is_suit_) return;
    attempt_.component(component, ComponentOutcome::kFailed, why.detail());
    if (why.origin() == Origin::kModules) count_board_failure();
}

void Session::rearm() {
    const UpdateRecord& record = c_.log.update();
    rearming_ = true;
    reverify_at_ = 0;
    attempt_.begin();
    if (c_.log.attempt().build_id == record.build_id) attempt_.take_up(c_.log.attempt());
    attempt_.touched();
    told_restart_ = false;
    attempt_.about(record.source, record.build_id, record.version);
    Expectation expected;
    // Its manifest was verified before the record was written.
    if (record.package_id != Digest{}) expected.signed_sha256 = record.digest;
    if (!c_.verifier.begin(record.size, expected).ok()) return;
    // The configuration was paired before the slot was armed.
    const Pairing* paired = pairing_of(c_.log.pairings(), record.slot, record.build_id);
    suit_.config.reset();
    suit_.reading = {};
    c_.verifier.parts().forget_all();
    if (paired != nullptr && paired->content.bank < c_.parts.config.banks()) {
        suit_.config = paired->content;
        c_.parts.config.choose(paired->content.bank);
    }
    c_.publisher.enter(State::kVerifying);
}

Millis Session::step_verify() {
    if (!gate_is_open(Phase::kInstall)) return kPausePoll;
    Status status;
    if (rearming_) status = read_again();
    if (status.is(Code::kTryAgain)) return kNow;
    const bool has_app = rearming_ || !is_suit_ || suit_.has_app;
    if (status.ok() && has_app) status = judge_standby();
    if (!status.ok()) {
        blame({ComponentKind::kApp, 0}, status);
        give_up_staged(status);
        fail(status);
        return kNow;
    }
    c_.publisher.enter(State::kReadyToApply);
    if (rearming_ || apply_when_ready_ || c_.settings.automatic_update) apply();
    return kNow;
}

// Shows the verifier what was staged before the last restart. kTryAgain until it has seen all.
Status Session::read_again() {
    const uint64_t size = c_.log.update().size;
    if (reverify_at_ < size) {
        const uint64_t stop = std::min<uint64_t>(size, reverify_at_ + kReverifyStep);
        OTA_TRY(feed(c_.app.standby_image(), reverify_at_, stop, c_.verifier.sink()));
        reverify_at_ = stop;
        return engine_status(Code::kTryAgain, Detail::kNone);
    }
    if (!suit_.config || c_.verifier.parts().digest(ComponentKind::kConfig, suit_.config->size)) {
        return {};
    }
    if (suit_.config->size > c_.parts.config.size()) {
        return {Code::kStorage, Origin::kVerify, Detail::kConfigDamaged};
    }
    return read_part(ComponentKind::kConfig, c_.parts.config.image(), suit_.config->size);
}

Status Session::judge_standby() {
    const std::optional<BankContent> config = is_suit_ || rearming_ ? suit_.config : std::nullopt;
    OTA_TRY(
        c_.verifier.images(c_.app.standby(), c_.app.standby_image(), c_.device, config, verified_));
    if (is_suit_ && !rearming_) {
        // Known only now, and from bytes that the manifest's signature covers.
        payload_.image.built_at = verified_->image().built_at;
        OTA_TRY(check_build_time());
        // The same image may have been given up in another wrapping.
        if (!asked_) OTA_TRY(check_not_rejected(verified_->image(), c_.log.rejected()));
    }
    const bool other = rearming_ && verified_->digest() != c_.log.update().digest;
    return other ? Status{Code::kUntrusted, Origin::kVerify, Detail::kDescriptorChanged}
                 : kOkStatus;
}

// ---------------------------------------------------------------- 5 activate

Millis Session::step_apply() {
    // A wait is not held against the plant: it may be weeks, and the battery works meanwhile.
    if (!stands_in_wait_ && !gate_is_open(Phase::kReboot)) return kPausePoll;
    if (!armed_ && is_suit_ && !rearming_) {
        suit_.waits = suit_.on_bus = false;
        const Status status = run_before_restart();
        stands_in_wait_ = status.is(Code::kTryAgain) && suit_.waits;
        if (stands_in_wait_) {
            const Status wait = note_wait();
            if (!wait.ok()) fail(wait);
            return kPausePoll;
        }
        if (status.is(Code::kTryAgain)) return suit_.on_bus ? kPoll : kNow;
        if (status.ok()) return kNow;
        if (!status.is(Code::kEndOfData)) {
            blame(suit_.at, status);
            give_up_staged(status);
            fail(status);
            return kNow;
        }
        if (!suit_.has_app) {
            const Status finished = finish_here();
            if (!finished.ok()) fail(finished);
            return kNow;
        }
    }
    if (!armed_) {
        const Status status = arm();
        if (!status.ok()) {
            (void)c_.boot.disarm();
            blame({ComponentKind::kApp, 0}, status);
            give_up_staged(status);
            fail(status);
        }
        return kNow;
    }
    // The gate was still open after the otadata write: from here on there is no way back.
    c_.publisher.enter(State::kComplete);
    return kNow;
}

Status Session::arm() {
    UpdateRecord record = rearming_ ? c_.log.update() : staging_record();
    record.stage = UpdateStage::kArmed;
    record.attempts = static_cast<uint8_t>(std::min(record.attempts + 1, 255));
    record.digest = verified_->digest();
    record.build_id = verified_->image().build_id;
    record.version = verified_->image().version;
    record.secure_version = verified_->image().secure_version;
    record.size = static_cast<uint32_t>(verified_->size());
    if (!rearming_) attempt_.about(record.source, record.build_id, record.version);
    if (!rearming_ && !info_.validator.tag.empty()) {
        // It saves a later check some bytes; the update does not hang on it.
        (void)c_.log.save(SeenRecord{info_.validator, false, record.build_id});
    }
    // Arming again is told only where it was taken for an interruption before: a record that was
    // written when power failed may read as torn at one boot and as whole at the next.
    const bool untold = c_.log.attempt().outcome != Outcome::kRestarted;
    if (!rearming_ || untold) (void)attempt_.end(Outcome::kRestarted);
    // Slow things come before the arming, after which the gate is asked once more.
    if (!told_restart_) tell_attempt(!rearming_);
    told_restart_ = true;
    if (!rearming_) OTA_TRY(pair());
    OTA_TRY(c_.log.save(record));
    OTA_TRY(c_.app.activate(*verified_));
    armed_ = true;
    return {};
}

// Says which configuration the image in the standby slot runs with, before it can run: that of the
// package, else that of the running image. The slot can't boot yet, and what the running one is
// paired with stays.
Status Session::pair() {
    const Pairings& before = c_.log.pairings();
    const SlotId standby = c_.app.standby();
    const Pairing* own = pairing_of(before, c_.publisher.value().running, c_.device.build_id);
    std::optional<BankContent> content = verified_->config();
    if (!content && own != nullptr) content = own->content;
    Pairings after;
    for (const Pairing& pairing : before) {
        const bool exists = pairing.slot < c_.parts.config.banks();
        if (pairing.slot != standby && exists) (void)after.push_back(pairing);
    }
    const Digest& build = verified_->image().build_id;
    if (content) (void)after.push_back({standby, build_mark(build), *content});
    const Pairing* old = pairing_of(before, standby, build);
    const bool same = content ? old != nullptr && old->content == *content
                              : pairing_of(before, standby) == nullptr;
    return same ? kOkStatus : c_.log.save(after);
}

// A package without an application is installed when its boards hold their image: nothing restarts.
Status Session::finish_here() {
    attempt_.touched();
    (void)attempt_.end(Outcome::kConfirmed);
    UpdateRecord record = staging_record();
    record.stage = UpdateStage::kConfirmed;
    OTA_TRY(c_.log.save(record));
    ConfirmedRecord confirmed = c_.log.confirmed();
    confirmed.sequence_number = std::max(confirmed.sequence_number, record.sequence_number);
    confirmed.package_id = record.package_id;
    OTA_TRY(c_.log.save(confirmed));
    c_.publisher.enter(State::kComplete);
    tell_attempt(true);
    end();
    c_.publisher.enter(State::kIdle);
    return {};
}

Millis Session::step_reboot() {
    if (c_.publisher.state() == State::kComplete) {
        c_.publisher.enter(State::kRebooting);
        return kNow;
    }
    c_.restart.restart();
    return kRest;
}

}  // namespace ota
