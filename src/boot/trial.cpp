#include "boot/trial.hpp"

namespace ota {

Status Trial::begin(const UpdateRecord& record, Millis deadline) {
    resume(deadline);
    UpdateRecord trial = record;
    trial.stage = UpdateStage::kTrial;
    return log_.save(trial);
}

Trial::Decision Trial::decide(Millis now, RevertReason& reason, ProbeName& probe) {
    const char* failing = "";
    const Health health = health_.poll(failing);
    if (health == Health::kPass) return Decision::kKeep;
    probe.assign(failing);
    if (health == Health::kFail) {
        reason = RevertReason::kUnhealthy;
        return Decision::kRevert;
    }
    reason = RevertReason::kDeadline;
    return now >= deadline_ ? Decision::kRevert : Decision::kWait;
}

// The one place in the product that writes VALID.
Status Trial::keep_running() {
    return boot_.settle(true);
}

Status Trial::confirm() {
    UpdateRecord record = log_.update();
    if (record.stage != UpdateStage::kConfirming) {  // a retry spends no further record
        record.stage = UpdateStage::kConfirming;
        OTA_TRY(log_.save(record));
    }
    OTA_TRY(keep_running());
    ConfirmedRecord confirmed = log_.confirmed();
    confirmed.secure_version = std::max(confirmed.secure_version, record.secure_version);
    confirmed.build_id = record.build_id;
    confirmed.version = record.version;
    // The number of a raw image is none: what was reached by packages stays.
    if (record.sequence_number >= confirmed.sequence_number && record.sequence_number != 0) {
        confirmed.sequence_number = record.sequence_number;
        confirmed.package_id = record.package_id;
    }
    OTA_TRY(log_.save(confirmed));
    record.stage = UpdateStage::kConfirmed;
    OTA_TRY(log_.save(record));
    end();
    return {};
}

Status Trial::revert(RevertReason reason, const ProbeName& probe) {
    UpdateRecord record = log_.update();
    record.stage = UpdateStage::kReverting;
    record.reason = reason;
    record.probe = probe;
    OTA_TRY(log_.save(record));
    return boot_.settle(false);
}

}  // namespace ota
