// After the restart: trial, confirmation, revert, and going back on request.
#include "engine/manager.hpp"

namespace ota {
namespace {

constexpr Millis kConfirmRetry = 1000;
constexpr uint8_t kConfirmTries = 5;

}  // namespace

// ---------------------------------------------------------------- 6 settle

void Manager::step_trial() {
    if (!trial_.running() || publisher_.state() == State::kRebooting) return;
    if (confirm_failures_ >= kConfirmTries) return;
    const Millis now = ports_.clock.now();
    if (now < next_trial_step_) return;
    next_trial_step_ = now + kTrialInterval;
    RevertReason reason = RevertReason::kNone;
    ProbeName probe;
    switch (trial_.decide(now, reason, probe)) {
        case Trial::Decision::kWait:
            return;
        case Trial::Decision::kKeep:
            return keep();
        case Trial::Decision::kRevert:
            return leave(reason, probe);
    }
}

void Manager::keep() {
    const Status status = trial_.confirm();
    if (!status.ok()) {
        next_trial_step_ = ports_.clock.now() + kConfirmRetry;
        if (++confirm_failures_ != kConfirmTries) return;
        // Still on trial, and nothing new begins: the next reset reverts, which is the safe
        // direction.
        publisher_.enter(State::kFailed, {Code::kStorage, Origin::kBoot, Detail::kConfirmFailed});
        return;
    }
    device_.min_secure_version =
        std::max(device_.min_secure_version, journal_.confirmed().secure_version);
    record_revoked();
    publish_named();
    end_trial();
    publish_report();
    publisher_.notice(Notice::kConfirmed);
    tell_end();
}

// otadata names the running image, VALID.
void Manager::publish_named() {
    publisher_.set([](EngineSnapshot& s) {
        s.running_state = layout::kStateValid;
        s.boot = s.running;
    });
}

void Manager::end_trial() {
    trial_.end();
    publisher_.set([](EngineSnapshot& s) { s.trial = false; });
}

// Gives the running image up. When otadata can't be written, a restart in the trial window makes
// the bootloader give the image up.
void Manager::leave(RevertReason reason, const ProbeName& probe) {
    const Status status = trial_.revert(reason, probe);
    if (status.detail() == Detail::kNoOtherImage) return stay();
    if (status.ok() || trial_.running()) {
        publisher_.enter(State::kRebooting, status);
        return;
    }
    publisher_.enter(State::kFailed, status);
}

// No other image boots: a device that runs beats one that does not. otadata names the running
// image, so that no bootloader goes looking for another; an update can mend it.
void Manager::stay() {
    UpdateRecord record = journal_.update();
    record.stage = UpdateStage::kKept;
    (void)journal_.save(record);
    const Status named = trial_.name_running();
    if (named.ok()) publish_named();
    end_trial();
    tell_end();
    const Status why{Code::kRefused, Origin::kBoot, Detail::kNoOtherImage};
    publisher_.enter(State::kFailed, named.ok() ? why : named);
}

void Manager::roll_back() {
    if (!settings_.allow_rollback) {
        publisher_.enter(State::kFailed,
                         {Code::kRefused, Origin::kBoot, Detail::kRollbackDisabled});
        return;
    }
    const Verdict verdict = gate_.check(Phase::kReboot);
    if (!verdict.safe()) return publisher_.enter(State::kFailed, verdict.reason, verdict);
    if (trial_.running()) return leave(RevertReason::kRequested, ProbeName());
    const UpdateRecord before = journal_.update();
    if (!is_record_of_running()) (void)journal_.save(record_of_running());
    const Status status = trial_.revert(RevertReason::kRequested, ProbeName());
    if (status.ok()) return publisher_.enter(State::kRebooting);
    (void)journal_.save(before);  // nothing happened
    publisher_.enter(State::kFailed, status);
}

bool Manager::is_record_of_running() const {
    const UpdateRecord& record = journal_.update();
    return record.build_id == device_.build_id && record.slot == boot_.running;
}

UpdateRecord Manager::record_of_running() const {
    UpdateRecord record;
    record.slot = boot_.running;
    record.build_id = device_.build_id;
    record.version = device_.version;
    record.secure_version = running_secure_version_;
    record.attempts = 1;
    return record;
}

}  // namespace ota
