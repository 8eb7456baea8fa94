// The third part of an update: bytes from the source into flash, with their waits and retries. The
// same for a raw image and for each payload of a package.
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
    if (is_suit()) begin_commands();
    retries_ = 0;
    retry_at_ = retry_after_ = 0;
    backoff_.reset();
    c_.publisher.enter(State::kDownloading);
}

Millis Session::step_stage() {
    if (!gate_is_open(Phase::kInstall)) return kPausePoll;
    if (now() < retry_at_) return std::min(retry_at_ - now(), kPausePoll);
    const Status status = run_stage_step();
    if (status.ok()) return kNow;
    if (status.is(Code::kTryAgain)) {
        if (!is_source_open()) return suit_.on_bus ? kPoll : kNow;
        return pushed_by_ && !is_from_web() ? kPushPoll : kPoll;
    }
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

Status Session::run_stage_step() {
    switch (stage_step_) {
        case StageStep::kCommand:
        case StageStep::kSeek:
        case StageStep::kReadHead:
            return is_suit() ? run_suit_step() : engine_status(Code::kInternal, Detail::kNone);
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
}

// Makes sure that nothing boots what the slot is about to become.
Status Session::open_slot() {
    if (is_suit() && suit_.target.kind != ComponentKind::kApp) return open_part();
    Expectation expected = c_.settings.expected;
    if (is_suit()) {
        expected.signed_sha256 = suit_.digest;  // what lies beside the file is about the envelope
    } else {
        if (!expected.sha256) expected.sha256 = info_.expected_sha256;
        expected.signature = info_.file_signature;
        if (!expected.md5) expected.md5 = info_.expected_md5;
    }
    OTA_TRY(c_.verifier.begin(payload_.size, expected));
    attempt_.touched();
    resume_ = may_resume();
    continued_ = false;
    OTA_TRY(c_.boot.invalidate_standby());
    if (resume_ && !is_suit()) {
        bool same = false;
        OTA_TRY(same_prefix(same));
        resume_ = same;
    }
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
    if (is_suit() && suit_.target.kind != ComponentKind::kApp) {
        OTA_TRY(record_part());
    } else if (!resume_) {
        OTA_TRY(c_.log.save(staging_record()));
    }
    if (is_own_record()) mark_told(false);
    if (is_suit() && !suit_.encryption.empty()) {
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
    return is_suit() ? record.package_id == suit_.manifest.digest()
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
    if (is_suit()) {
        record.package_id = suit_.manifest.digest();
        record.sequence_number = suit_.manifest.sequence_number();
    }
    const UpdateRecord& last = c_.log.update();
    const bool same =
        last.build_id == record.build_id || (is_suit() && last.package_id == record.package_id);
    if (same && !asked_) record.attempts = last.attempts;
    return record;
}

Status Session::open_source() {
    if (is_suit() && suit_.from == SuitPackage::From::kStage) {
        restart_timers();
        stage_step_ = StageStep::kPump;
        return {};
    }
    continued_ = continued_ || reader_.position() != offset_;
    const uint64_t length = is_suit() ? payload_.size - reader_.position() : kToEnd;
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
    if (is_suit()) {
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
    const bool over = is_suit() && reader_.position() == payload_.size;
    return over ? end_of_suit_payload() : kOkStatus;
}

Result<size_t> Session::read_payload(MutableBytes room) {
    if (is_suit() && suit_.from == SuitPackage::From::kStage) {
        OTA_TRY(c_.parts.stage.image().read_at(reader_.position(), room));
        return room.size();
    }
    const Result<size_t> n = payload_source().read(room);
    if (n.ok()) attempt_.received(*n);
    return n;
}

// Where in its file the image begins.
uint64_t Session::payload_at() const {
    return is_suit() && !is_from_web() ? suit_.file_at : 0;
}

bool Session::is_from_web() const {
    return is_suit() && suit_.from == SuitPackage::From::kWeb;
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
    const bool is_over = position == payload_.size;
    const uint64_t kept =
        payload_at() + (is_over ? position : round_down<uint64_t>(position, kDurableUnit));
    if (!is_suit()) return c_.publisher.progress(position, reader_.size(), kept);
    suit_.total = std::max(suit_.total, suit_.done + position);
    c_.publisher.progress(suit_.done + position, suit_.total, kept);
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

}  // namespace ota
