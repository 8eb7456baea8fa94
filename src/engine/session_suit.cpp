// SUIT packages: what their commands mean for this device. The flow is that of a raw image, with a
// processor that says when which payload is to be fetched, and conditions before the restart.
#include <cstdio>

#include "engine/session.hpp"
#include "engine/session_limits.hpp"
#include "verify/manifest_signature.hpp"
#include "verify/suit_admission.hpp"

namespace ota {
namespace {

// What is run before the restart; anew when the gate was red in between.
constexpr std::array<suit::Member, 2> kBeforeRestart = {suit::kInstall, suit::kValidate};

constexpr Status malformed(Detail detail) {
    return {Code::kMalformed, Origin::kPackage, detail};
}

bool is_same_id(const Uuid& own, Bytes id) {
    return own != Uuid{} && std::equal(own.begin(), own.end(), id.begin(), id.end());
}

}  // namespace

// ---------------------------------------------------------------- 2 admit

// Signature, digest, form, device, freshness: before the first byte of a payload is fetched.
Status Session::judge_suit() {
    AuthWrapper auth;
    OTA_TRY(parse_auth_wrapper(suit_.prefix.auth, auth));
    OTA_TRY(verify_manifest_signature(auth, c_.trusted, c_.settings.signatures_required));
    OTA_TRY(suit_.manifest.parse(suit_.prefix, auth.digest));
    payload_ = Payload();
    payload_.source_identity = info_.identity;
    payload_.image.build_id = suit_.manifest.digest();
    OTA_TRY(name_suit_version());
    for (size_t i = 0; i < suit_.manifest.component_count(); ++i) {
        if (!has(suit_.manifest.component(i))) {
            return {Code::kIncompatible, Origin::kPackage, Detail::kComponentUnknown};
        }
    }
    const ConfirmedRecord& confirmed = c_.log.confirmed();
    // After a rollback the confirmed package may be installed once more.
    const bool left = confirmed.build_id != c_.device.build_id;
    const bool again = left && confirmed.package_id == suit_.manifest.digest();
    if (!again) {
        OTA_TRY(
            check_sequence(suit_.manifest.sequence_number(), suit_.manifest.digest(), confirmed));
    }
    // The conditions of the shared sequence alone.
    suit_.processor.begin(suit_.manifest, suit::kSharedSequence);
    Status status;
    while (status.ok()) status = suit_.processor.step();
    if (!status.is(Code::kEndOfData)) return status;
    payload_.size = suit_.processor.image_size(0);
    const bool fits = payload_.size <= c_.device.slot_size;
    return fits ? kOkStatus : Status{Code::kNoSpace, Origin::kVerify, Detail::kSlotTooSmall};
}

// For people. A package need not say its version; its number it has to.
Status Session::name_suit_version() {
    VersionText& version = payload_.image.version;
    OTA_TRY(version_text(suit_.manifest.version(), version));
    if (!version.empty()) return {};
    std::array<char, 24> text{};
    std::snprintf(text.data(), text.size(), "number %llu",
                  static_cast<unsigned long long>(suit_.manifest.sequence_number()));
    version.assign(text.data());
    return {};
}

bool Session::has(ComponentRef component) {
    return component.kind == ComponentKind::kApp;
}

// ---------------------------------------------------------------- 3 stage

void Session::begin_commands() {
    suit_.processor.begin(suit_.manifest, suit::kPayloadFetch);
    suit_.payloads.begin(suit_.prefix.payloads);
    suit_.file_at = suit_.prefix.size;
    suit_.staged = suit_.fetched = suit_.draining = false;
    // What it saw of an earlier package must not stand for this one.
    (void)c_.verifier.begin(0, {});
    suit_.section = 0;
    stage_step_ = StageStep::kCommand;
}

Status Session::run_command() {
    const Status status = suit_.processor.step();
    if (!status.is(Code::kEndOfData)) return status;
    suit_.draining = true;
    return drain();
}

// Everything that was wanted is there. Nothing may follow the last payload.
Status Session::drain() {
    // A package that brings nothing new has nothing to activate.
    if (!suit_.staged) return malformed(Detail::kPayloadMissing);
    if (!suit_.payloads.is_done()) {
        stage_step_ = StageStep::kSeek;
        return {};
    }
    // A size that nobody announced can't be held against the package; no byte behind it is used.
    if (info_.size != 0 && info_.size != suit_.file_at) return malformed(Detail::kTrailingBytes);
    close();
    c_.publisher.enter(State::kVerifying);
    return {};
}

Status Session::fetch(ComponentRef component, const FetchOrder& order) {
    if (suit_.fetched) {
        suit_.fetched = false;
        return {};
    }
    if (component.kind != ComponentKind::kApp || !order.uri.starts_with("#") ||
        !order.arguments.empty() || !order.encryption.empty()) {
        return {Code::kIncompatible, Origin::kPackage, Detail::kParameterUnknown};
    }
    suit_.uri.assign(order.uri);
    suit_.digest = order.digest;
    suit_.size = order.size;
    payload_.size = order.size;
    stage_step_ = StageStep::kSeek;
    return engine_status(Code::kTryAgain, Detail::kNone);
}

// Goes to the head of the next payload.
Status Session::seek() {
    if (suit_.payloads.is_done()) return malformed(Detail::kPayloadMissing);
    Source& source = *c_.sources[source_index_].source;
    OTA_TRY(source.start({where_, suit_.file_at, SuitPayloadReader::kMaxHead, {}}));
    restart_timers();
    stage_step_ = StageStep::kReadHead;
    return {};
}

Status Session::read_head() {
    Source& source = *c_.sources[source_index_].source;
    OTA_TRY(same_package(source));
    std::array<uint8_t, SuitPayloadReader::kMaxHead> bytes;
    const Result<size_t> n = source.read(bytes);
    if (n.status().is(Code::kTryAgain)) restart_timers();  // it skips what comes before
    if (n.status().is(Code::kEndOfData)) {
        // Where the size is not known, the connection may have ended too early.
        return info_.size == 0
                   ? Status{Code::kUnavailable, Origin::kSource, Detail::kConnectionLost}
                   : malformed(Detail::kCborTruncated);
    }
    if (!n.ok()) return n.status();
    if (*n == 0) {
        OTA_TRY(check_pace());
        return engine_status(Code::kTryAgain, Detail::kNone);
    }
    last_data_ = now();
    OTA_TRY_ASSIGN(const size_t taken, suit_.payloads.feed_head(Bytes(bytes).first(*n)));
    suit_.file_at += taken;
    if (!suit_.payloads.is_payload()) {
        // An empty payload was passed by; what was read behind it is read again.
        if (taken == *n && !suit_.payloads.is_done()) return {};
        close();
        stage_step_ = StageStep::kSeek;
        return suit_.draining ? drain() : kOkStatus;
    }
    close();
    const bool wanted = !suit_.draining && suit_.payloads.key() == suit_.uri.view();
    if (wanted && suit_.payloads.length() != suit_.size) return malformed(Detail::kImageSize);
    if (wanted) {
        stage_step_ = StageStep::kOpenSlot;
        return {};
    }
    leave_payload();
    stage_step_ = StageStep::kSeek;
    return suit_.draining ? drain() : kOkStatus;
}

void Session::leave_payload() {
    suit_.file_at += suit_.payloads.left();
    suit_.payloads.advance(suit_.payloads.left());
}

Status Session::end_of_suit_payload() {
    OTA_TRY(reader_.end());
    close();
    c_.publisher.progress(reader_.position(), reader_.size());
    leave_payload();
    suit_.staged = suit_.fetched = true;
    stage_step_ = StageStep::kCommand;
    return {};
}

Result<bool> Session::match(ComponentRef component, const Digest& digest, uint64_t size) {
    if (component.kind != ComponentKind::kApp) return false;
    return c_.verifier.holds(digest, size);
}

Status Session::copy(ComponentRef, ComponentRef, const FetchOrder&) {
    return {Code::kIncompatible, Origin::kPackage, Detail::kComponentUnknown};
}

Status Session::write(ComponentRef, Bytes) {
    return {Code::kIncompatible, Origin::kPackage, Detail::kComponentUnknown};
}

// ---------------------------------------------------------------- 5 activate

// Waits and conditions of the manifest. kEndOfData when all of them were met.
Status Session::run_before_restart() {
    if (suit_.section == 2 * kBeforeRestart.size()) return {Code::kEndOfData, Origin::kPackage};
    if (suit_.section % 2 == 0) {
        suit_.processor.begin(suit_.manifest, kBeforeRestart[suit_.section / 2]);
        ++suit_.section;
        return {};
    }
    const Status status = suit_.processor.step();
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

void Session::continue_wait() {
    begin_round(false);
    continue_to_stage_ = apply_when_ready_ = true;
    c_.publisher.enter(State::kChecking);
}

Result<bool> Session::check(const Condition& condition) {
    const SuitIdentity& own = c_.settings.suit;
    switch (condition.kind) {
        case ConditionKind::kVendor:
            return is_same_id(own.vendor, condition.bytes);
        case ConditionKind::kClass:
            return is_same_id(own.class_id, condition.bytes);
        case ConditionKind::kDevice:
            return is_same_id(own.device, condition.bytes);
        case ConditionKind::kSlot:
            return condition.number == c_.app.standby();
        case ConditionKind::kVersion:
            return version_matches(condition.bytes, c_.device.version.view());
        case ConditionKind::kUseBefore:
            return is_before(condition.number);
        case ConditionKind::kMinimumBattery:
            return has_energy(condition.number);
        case ConditionKind::kAuthorized:
            return c_.gate.check(Phase::kReboot).safe();
    }
    return false;
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
    return wait_is_over(info, {c_.clock.wall(), c_.floor.is_set(c_.clock.wall()),
                               c_.gate.check(Phase::kReboot).safe()});
}

Status Session::invoke(ComponentRef) {
    return {};  // the restart is the platform's step
}

}  // namespace ota
