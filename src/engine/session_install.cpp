// The parts of an update after the download: 4 verify, 5 activate.
#include "engine/session.hpp"
#include "engine/session_limits.hpp"

namespace ota {

// ---------------------------------------------------------------- 4 verify

// For the report: which component it failed at.
void Session::blame(ComponentRef component, Status why) {
    if (!is_suit()) return;
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
    const bool has_app = rearming_ || !is_suit() || suit_.has_app;
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
    const std::optional<BankContent> config = is_suit() || rearming_ ? suit_.config : std::nullopt;
    OTA_TRY(
        c_.verifier.images(c_.app.standby(), c_.app.standby_image(), c_.device, config, verified_));
    if (is_suit() && !rearming_) {
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
    if (!armed_ && is_suit() && !rearming_) {
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
        const Status enough = check_quorum();
        if (!enough.ok()) {
            count_board_failure();
            fail(enough);
            return kNow;
        }
        if (!suit_.has_app) {
            const Status finished = finish_here();
            if (!finished.ok()) {
                blame(suit_.at, finished);
                give_up_staged(finished);
                fail(finished);
            }
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
    // Taken twice is taken once: power may fail before the records below.
    if (suit_.has_settings) OTA_TRY(take_settings());
    (void)attempt_.end(Outcome::kConfirmed);
    UpdateRecord record = staging_record();
    record.stage = UpdateStage::kConfirmed;
    OTA_TRY(c_.log.save(record));
    ConfirmedRecord confirmed = c_.log.confirmed();
    if (suit_.has_settings) {
        confirmed.settings_number = record.sequence_number;
        confirmed.settings_id = record.package_id;
    } else {
        confirmed.sequence_number = std::max(confirmed.sequence_number, record.sequence_number);
        confirmed.package_id = record.package_id;
        confirmed.unfinished = !suit_.board_failure.ok();
    }
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
