#include "sources/aws/jobs_channel.hpp"

#include <cstdio>

#include "base/status_text.hpp"

namespace ota {
namespace {

using Stage = JobRecord::Stage;
using End = JobRecord::End;

// How long a round waits for the cloud: a connection, and an answer.
constexpr Millis kRoundTimeout = 40000;
// After a finding that another time may change.
constexpr Millis kLookAgain = 300000;
constexpr Millis kStageInterval = 1200000;
constexpr std::string_view kKeptText = "not healthy, and kept: no other image boots";
constexpr uint8_t kMostMismatches = 3;  // in a row, before the next is waited for

// What a retry of the same job can't mend. Faults of the way are none of it, nor a digest: pieces
// of two files may have met.
bool is_final(Status why) {
    const bool is_way = why.origin() == Origin::kSource && why.detail() != Detail::kJobDocument &&
                        why.detail() != Detail::kImageSize &&
                        why.detail() != Detail::kNoHttpsSource;
    const bool is_passing =
        why.detail() == Detail::kImageDigest || why.detail() == Detail::kBuildTimeAhead ||
        why.detail() == Detail::kClockNotSet || why.detail() == Detail::kConfigDamaged ||
        why.detail() == Detail::kEncryptionKey;
    if (is_way || is_passing) return false;
    return why.is(Code::kUntrusted) || why.is(Code::kMalformed) || why.is(Code::kIncompatible) ||
           why.is(Code::kNoSpace) || why.is(Code::kNoUpdate);
}

// Findings that another time or another state of the plant would change.
bool may_pass(Status why) {
    return why.is(Code::kUnavailable) || why.is(Code::kTimeout) || why.is(Code::kBusy) ||
           why.is(Code::kUnsafe) || why.is(Code::kTryAgain) || why.origin() == Origin::kModules;
}

constexpr Status failed(Code code, Detail detail) {
    return {code, Origin::kSource, detail};
}

}  // namespace

// ---------------------------------------------------------------- the engine's questions

void JobsChannel::rewind() {
    offered_ = has_next_ = is_gone_ = is_fetched_ = wants_document_ = is_in_round_ = false;
    told_percent_ = kNothingTold;
    round_since_ = clock_.now();
    if (asked_ == Asked::kNext) asked_ = Asked::kNothing;
}

Result<bool> JobsChannel::poll(Offer& offer) {
    if (offered_) return false;
    if (!is_in_round_) {
        is_in_round_ = true;
        is_new_ = false;
        again_at_ = 0;
    }
    step();
    const bool owes = log_.job().stage == Stage::kOwed;
    if (has_next_ && !owes) {
        offered_ = true;
        is_in_round_ = false;
        if (job_.id.empty()) return false;
        if (is_known(job_) && log_.job().stage == Stage::kDone) return false;
        if (!is_known(job_)) {
            JobRecord taken;
            taken.stage = Stage::kTaken;
            taken.id = job_.id;
            taken.execution = job_.execution;
            OTA_TRY(log_.save(taken));
        }
        version_ = job_.version;
        if (!job_.document.ok()) {
            const Status why = failed(Code::kIncompatible, Detail::kJobDocument);
            owe(End::kRejected, status_text(why));
            return why;
        }
        offer.where.uri = document_.stream.empty() ? document_.url.view() : document_.stream.view();
        return true;
    }
    if (clock_.now() - round_since_ > kRoundTimeout) {
        // An answer that comes later, or in the next connection, is worth another round.
        offered_ = true;
        is_in_round_ = false;
        return link_.why().ok() ? failed(Code::kTimeout, Detail::kNoAnswer) : link_.why();
    }
    if (link_.is_up() && asked_ == Asked::kNothing && !owes) ask_next();
    return failed(Code::kTryAgain, Detail::kNone);
}

bool JobsChannel::arrived() {
    step();
    const bool is_again = again_at_ != 0 && clock_.now() >= again_at_;
    const bool is_worth_it = is_new_ || is_again;
    is_new_ = false;
    if (is_again) again_at_ = 0;
    return is_worth_it;
}

void JobsChannel::refused(Status why) {
    if (log_.job().stage != Stage::kTaken) return;
    if (may_pass(why)) {
        again_at_ = clock_.now() + kLookAgain;
        return;
    }
    // What it asks for runs already.
    if (why.detail() == Detail::kVersionSame) return owe(End::kSucceeded, "runs already");
    owe(is_final(why) ? End::kRejected : End::kFailed, status_text(why));
}

void JobsChannel::report(const Report& report) {
    JobRecord record = log_.job();
    if (record.stage != Stage::kTaken && record.stage != Stage::kRestarted) return;
    const AttemptRecord& attempt = report.attempt;
    const bool is_other = record.stage == Stage::kRestarted && attempt.build_id != record.build;
    if (is_other) return;
    switch (attempt.outcome) {
        case Outcome::kRestarted:
            record.stage = Stage::kRestarted;
            record.build = attempt.build_id;
            (void)log_.save(record);
            return tell_stage("restart", attempt.version.view());
        case Outcome::kConfirmed:
            return owe(End::kSucceeded, attempt.version.view());
        case Outcome::kReverted:
            return given_up(report.revert);
        case Outcome::kKept:
            return owe(End::kFailed, kKeptText);
        case Outcome::kAborted:
            return owe(End::kFailed, status_text(attempt.why));
        case Outcome::kFailed:
            return owe(is_final(attempt.why) ? End::kRejected : End::kFailed,
                       status_text(attempt.why));
        case Outcome::kNone:
        case Outcome::kInterrupted:
            return;
    }
}

// Losing power in its trial says nothing about the image: the job is taken once more, and how often
// that goes is decided where its package is admitted.
void JobsChannel::given_up(RevertReason reason) {
    if (reason != RevertReason::kPowerCycle) {
        FixedString<64> text;
        text.assign("left again: ");
        text.append(revert_reason_text(reason));
        return owe(End::kFailed, text.view());
    }
    JobRecord record = log_.job();
    record.stage = Stage::kTaken;
    (void)log_.save(record);
    is_new_ = true;
}

void JobsChannel::begin_fetch(uint8_t percent) {
    if (log_.job().stage != Stage::kTaken) return;
    is_fetched_ = true;
    // One question at a time: its answer would not be known again.
    if (percent == told_percent_ || asked_ != Asked::kNothing || !link_.is_up()) return;
    told_percent_ = percent;
    std::array<char, 8> text{};
    (void)std::snprintf(text.data(), text.size(), "%u", static_cast<unsigned>(percent));
    tell_stage("download", text.data());
}

// While the package waits for its turn, or for the battery, the cloud hears that it is in hand.
bool JobsChannel::serve() {
    step();
    const bool is_in_hand = log_.job().stage == Stage::kTaken && is_fetched_;
    if (!is_in_hand) return false;
    const bool is_due = clock_.now() - told_at_ > kStageInterval;
    if (is_due && asked_ == Asked::kNothing) tell_stage("in hand", "");
    return is_gone_;
}

// ---------------------------------------------------------------- the cloud

void JobsChannel::step() {
    MqttMessage message;
    for (int i = 0; i < 64 && link_.take(message); ++i) take(message);
    shadow_.step();
    if (!link_.is_up()) return;
    if (connection_ != link_.connection()) connected();
    if (asked_ != Asked::kNothing && !is_silent()) return;
    if (log_.job().stage == Stage::kOwed) return tell_owed();
    if (asked_ == Asked::kNext) return ask_next();
    asked_ = Asked::kNothing;
}

bool JobsChannel::is_silent() const {
    return clock_.now() - asked_at_ > wait_;
}

// Nothing that happened before is answered or notified again: everything is asked anew.
void JobsChannel::connected() {
    connection_ = link_.connection();
    asked_ = Asked::kNothing;
    backoff_.reset();
    if (!is_settled_) settle_at_start();
    if (log_.job().stage != Stage::kOwed) ask_next();
}

// A restart came between the image's decision and the note that it is owed.
void JobsChannel::settle_at_start() {
    is_settled_ = true;
    JobRecord record = log_.job();
    const UpdateRecord& update = log_.update();
    if (record.stage != Stage::kRestarted) return;
    const bool is_own = update.build_id == record.build;
    // Power was lost before the restart: the package is still to be installed.
    if (!is_own || update.stage == UpdateStage::kStaging || update.stage == UpdateStage::kDropped) {
        record.stage = Stage::kTaken;
        (void)log_.save(record);
        return;
    }
    if (update.stage == UpdateStage::kConfirmed) return owe(End::kSucceeded, update.version.view());
    if (update.stage == UpdateStage::kReverted) given_up(update.reason);
    if (update.stage == UpdateStage::kKept) owe(End::kFailed, kKeptText);
}

void JobsChannel::ask_next() {
    asked_ = Asked::kNext;
    suffix_.assign("jobs/$next/get");
    JsonWriter body(body_);
    send(body);
}

void JobsChannel::ask_document() {
    wants_document_ = true;
    ask_next();
}

void JobsChannel::owe(End end, std::string_view reason) {
    JobRecord record = log_.job();
    record.stage = Stage::kOwed;
    record.end = end;
    record.reason.clear();
    append_plain(record.reason, reason);
    // What the journal does not hold is not told: the job is looked at once more.
    if (!log_.save(record).ok()) {
        again_at_ = clock_.now() + kLookAgain;
        return;
    }
    asked_ = Asked::kNothing;
    backoff_.reset();
    if (link_.is_up()) tell_owed();
}

// ---------------------------------------------------------------- what comes

void JobsChannel::take(const MqttMessage& message) {
    constexpr std::string_view kStreams = "streams/";
    constexpr std::string_view kShadow = "shadow/name/ota/";
    if (message.topic.starts_with(kShadow)) {
        return shadow_.take(message.topic.substr(kShadow.size()), message.payload);
    }
    if (message.topic.starts_with(kStreams)) {
        return stream_.take(message.topic.substr(kStreams.size()), message.payload);
    }
    JobMessage parsed;
    const bool is_head = message.topic == "jobs/notify-next";
    // From the moment it is known the document stays as it is, for it may be read from already.
    const bool wants =
        asked_ == Asked::kNext && !is_head && (wants_document_ || (!offered_ && !has_next_));
    if (!parse_job_message(message.payload, parsed, nullptr).ok()) return;
    if (is_head) return take_head(parsed);
    if (parsed.token.view() != token_.view() || asked_ == Asked::kNothing) return;
    const bool accepted = message.topic.ends_with("/accepted");
    if (message.topic.ends_with("/update/accepted") ||
        message.topic.ends_with("/update/rejected")) {
        return take_update(parsed, accepted);
    }
    // A rejection is waited out, like silence.
    if (asked_ != Asked::kNext || !accepted) return;
    const bool same = !wants_document_ || (parsed.execution && is_known(*parsed.execution));
    if (wants && same) (void)parse_job_message(message.payload, parsed, &document_);
    asked_ = Asked::kNothing;
    backoff_.reset();
    take_next(parsed);
}

void JobsChannel::take_next(const JobMessage& message) {
    look_at_queue(message);
    if (wants_document_) {
        const bool same = message.execution && is_known(*message.execution);
        if (!same || !message.execution->document.ok()) is_gone_ = true;
        wants_document_ = false;
        return;
    }
    // Between two rounds: it is looked at in the next.
    if (offered_ || has_next_) {
        if (message.execution && is_to_do(*message.execution) && !is_fetched_) is_new_ = true;
        return;
    }
    job_ = message.execution.value_or(JobExecution());
    has_next_ = true;
    if (!is_in_round_ && is_to_do(job_)) is_new_ = true;
}

// The head of the queue has changed.
void JobsChannel::take_head(const JobMessage& message) {
    look_at_queue(message);
    if (message.execution && !is_known(*message.execution)) is_new_ = true;
}

// Also one that was begun before a restart.
bool JobsChannel::is_to_do(const JobExecution& job) const {
    return !job.id.empty() && (!is_known(job) || log_.job().stage == Stage::kTaken);
}

// A job that was taken and is not the head any more was canceled, deleted or has timed out: one
// that is in progress is always the head.
void JobsChannel::look_at_queue(const JobMessage& message) {
    if (log_.job().stage != Stage::kTaken || !is_fetched_) return;
    if (!message.execution || !is_known(*message.execution)) is_gone_ = true;
}

void JobsChannel::take_update(const JobMessage& message, bool accepted) {
    if (asked_ != Asked::kUpdate) return;
    asked_ = Asked::kNothing;
    JobRecord record = log_.job();
    if (accepted) {
        mismatches_ = 0;
        if (version_ != 0) ++version_;
    } else {
        const auto is = [&](std::string_view code) { return message.code.view() == code; };
        // Only these two are worth a repetition; the timer of step() makes it.
        if (is("InternalError") || is("RequestThrottled")) {
            asked_ = Asked::kUpdate;
            return;
        }
        if (is("VersionMismatch") && message.state != JobStatus::kOver) {
            version_ = message.state_version;
            if (record.stage != Stage::kOwed) return;
            if (++mismatches_ <= kMostMismatches) return tell_owed();
            asked_ = Asked::kUpdate;  // the timer of step() tells it again
            return;
        }
        if (record.stage == Stage::kTaken) is_gone_ = true;
    }
    if (record.stage != Stage::kOwed) return;
    record.stage = Stage::kDone;
    if (!log_.save(record).ok()) {
        asked_ = Asked::kUpdate;  // told again, ever later
        return;
    }
    backoff_.reset();
    ask_next();
}

// The execution of the record.
bool JobsChannel::is_known(const JobExecution& job) const {
    const JobRecord& record = log_.job();
    return record.stage != Stage::kNone && record.id.view() == job.id.view() &&
           record.execution == job.execution;
}

}  // namespace ota
