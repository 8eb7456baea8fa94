// SUIT packages: what is asked and waited for, in their manifest's words, before the restart.
#include "engine/session.hpp"
#include "engine/session_limits.hpp"
#include "verify/suit_admission.hpp"

namespace ota {
namespace {

// What is run before the restart; anew when the gate was red in between.
constexpr std::array<suit::Member, 2> kBeforeRestart = {suit::kInstall, suit::kValidate};

bool is_same_id(const Uuid& own, Bytes id) {
    return own != Uuid{} && std::equal(own.begin(), own.end(), id.begin(), id.end());
}

}  // namespace

// ---------------------------------------------------------------- 5 activate

// Waits and conditions of the manifest. kEndOfData when all of them were met.
Status Session::run_before_restart() {
    if (suit_.section == 2 * kBeforeRestart.size()) return {Code::kEndOfData, Origin::kPackage};
    if (suit_.section % 2 == 0) {
        suit_.processor->begin(suit_.manifest, kBeforeRestart[suit_.section / 2]);
        ++suit_.section;
        return {};
    }
    const Status status = suit_.processor->step();
    if (!status.is(Code::kEndOfData)) return status;
    ++suit_.section;
    return {};
}

// Recorded once, so that a restart neither forgets the wish nor begins the wait anew. Without a set
// clock the time since the last start counts.
Status Session::note_wait() {
    UpdateRecord record = c_.log.update();
    const UnixTime wall = c_.clock.wall();
    const bool known = c_.floor.is_set(wall);
    if (!waiting_) {
        waiting_ = true;
        waiting_from_ = now();
        if (record.waiting_since == 0) {
            record.waiting_since = known ? wall : 1;  // some time in the past
            OTA_TRY(c_.log.save(record));
        }
    }
    const bool since_known = record.waiting_since > kFirstBuild;
    const bool too_long = (known && since_known && wall - record.waiting_since > kLongestWait) ||
                          now() - waiting_from_ > Millis{kLongestWait} * 1000;
    return too_long ? Status{Code::kTimeout, Origin::kSafety, Detail::kWaitTooLong} : kOkStatus;
}

bool Session::waits() const {
    const UpdateRecord& record = c_.log.update();
    return record.stage == UpdateStage::kStaging && record.waiting_since != 0;
}

// The wish ends with the attempt: failed, aborted, or another package.
void Session::forget_wait() {
    if (!waiting_ || !waits()) return;
    UpdateRecord record = c_.log.update();
    record.waiting_since = 0;
    (void)c_.log.save(record);
    waiting_ = false;
}

// Another package in its place is one that nobody asked for.
void Session::hold_to_wait() {
    if (!continues_wait_ || is_own_record()) return;
    continues_wait_ = apply_when_ready_ = false;
    continue_to_stage_ = c_.settings.automatic_update;
    UpdateRecord record = c_.log.update();
    record.waiting_since = 0;
    (void)c_.log.save(record);
}

void Session::continue_wait() {
    begin_round(false);
    continue_to_stage_ = apply_when_ready_ = continues_wait_ = true;
    c_.publisher.enter(State::kChecking);
}

Result<bool> Session::check(const Condition& condition) {
    const SuitIdentity& own = c_.settings.suit;
    suit_.at = condition.component;
    const bool is_module = condition.component.kind == ComponentKind::kModule;
    switch (condition.kind) {
        case ConditionKind::kVendor:
            return is_same_id(own.vendor, condition.bytes);
        case ConditionKind::kClass:
            return is_same_id(is_module ? own.module_class : own.class_id, condition.bytes);
        case ConditionKind::kDevice:
            return is_same_id(own.device, condition.bytes);
        case ConditionKind::kSlot:
            return condition.number == c_.app.standby();
        case ConditionKind::kVersion:
            return has_version(condition);
        case ConditionKind::kUseBefore:
            return is_before(condition.number);
        case ConditionKind::kMinimumBattery:
            return has_energy(condition.number);
        case ConditionKind::kAuthorized:
            return c_.gate.check(Phase::kReboot).safe();
    }
    return false;
}

// Of a board its own version counts; of everything else that of the running image.
Result<bool> Session::has_version(const Condition& condition) {
    if (condition.component.kind != ComponentKind::kModule) {
        return version_matches(condition.bytes, c_.device.version.view());
    }
    VersionText version;
    OTA_TRY(board_says(c_.parts.modules->version(condition.component.number, version),
                       Detail::kBoardSilent));
    return version_matches(condition.bytes, version.view());
}

// Expiry counts only where the time of day is known; a package that has one is refused elsewhere.
Result<bool> Session::is_before(uint64_t time) {
    const UnixTime wall = c_.clock.wall();
    if (!c_.floor.is_set(wall)) {
        return Status{Code::kIncompatible, Origin::kVerify, Detail::kClockNotSet};
    }
    return wall >= 0 && static_cast<uint64_t>(wall) < time;
}

// By the BMS's own figure, or by the charge of the configured capacity. Old data is no data.
Result<bool> Session::has_energy(uint64_t wanted_mwh) {
    BatterySnapshot battery;
    if (!c_.battery.snapshot(battery).ok()) return false;
    if (static_cast<int64_t>(now()) > battery.taken_at + kBatteryMaxAge) return false;
    const int64_t percent = std::clamp<int64_t>(battery.soc_percent, 0, 100);
    const uint64_t by_charge =
        uint64_t{c_.settings.battery_capacity_wh} * 10 * static_cast<uint64_t>(percent);
    const uint64_t energy =
        battery.usable_energy_mwh == 0 ? by_charge : uint64_t{battery.usable_energy_mwh};
    return energy >= wanted_mwh;
}

Status Session::wait(Bytes info) {
    const Status status = wait_is_over(info, {c_.clock.wall(), c_.floor.is_set(c_.clock.wall()),
                                              c_.gate.check(Phase::kReboot).safe()});
    suit_.waits = status.is(Code::kTryAgain);
    return status;
}

}  // namespace ota
