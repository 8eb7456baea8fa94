// SUIT packages: what their commands mean for this device. The flow is that of a raw image, with a
// processor that says when which payload is to be fetched, and conditions before the restart.
#include <cstdio>

#include "engine/session.hpp"
#include "engine/session_limits.hpp"
#include "verify/manifest_signature.hpp"
#include "verify/suit_admission.hpp"

namespace ota {
namespace {

constexpr Status malformed(Detail detail) {
    return {Code::kMalformed, Origin::kPackage, detail};
}

}  // namespace

// ---------------------------------------------------------------- 2 admit

// Signature, digest, form, device, freshness: before the first byte of a payload is fetched.
Status Session::begin_suit() {
    AuthWrapper auth;
    OTA_TRY(parse_auth_wrapper(suit_.prefix.auth, auth));
    OTA_TRY(verify_manifest_signature(auth, c_.trusted, c_.settings.signatures_required));
    OTA_TRY(suit_.manifest.parse(suit_.prefix, auth.digest));
    payload_ = Payload();
    payload_.source_identity = info_.identity;
    payload_.image.build_id = suit_.manifest.digest();
    OTA_TRY(name_suit_version());
    OTA_TRY(survey_suit());
    const ConfirmedRecord& confirmed = c_.log.confirmed();
    // After a rollback the confirmed package may be installed once more.
    const bool left = confirmed.build_id != c_.device.build_id;
    const bool again = left && suit_.has_app && confirmed.package_id == suit_.manifest.digest();
    if (!again && !is_unfinished()) {
        const bool is_own = suit_.has_settings;
        OTA_TRY(check_sequence(suit_.manifest.sequence_number(), suit_.manifest.digest(),
                               is_own ? confirmed.settings_number : confirmed.sequence_number,
                               is_own ? confirmed.settings_id : confirmed.package_id));
    }
    SuitHosts& hosts = suit_.hosts.emplace(*this);
    suit_.processor.emplace(hosts, hosts);
    // The conditions of the shared sequence alone.
    suit_.processor->begin(suit_.manifest, suit::kSharedSequence);
    // What was seen of an earlier package must not stand for this one.
    c_.verifier.parts().forget_all();
    (void)c_.verifier.begin(0, {});
    suit_.reading = {};
    suit_.board_since = 0;
    suit_.board_failure = {};
    return {};
}

// Of boards alone, and some of them were passed over: the same package may be sent once more.
bool Session::is_unfinished() const {
    const ConfirmedRecord& confirmed = c_.log.confirmed();
    return !suit_.has_app && confirmed.unfinished &&
           confirmed.package_id == suit_.manifest.digest();
}

// Does this device have what the package is about, and is there something to activate?
Status Session::survey_suit() {
    bool has_module = false;
    bool has_config = false;
    suit_.has_app = suit_.has_settings = false;
    for (size_t i = 0; i < suit_.manifest.component_count(); ++i) {
        const ComponentRef component = suit_.manifest.component(i);
        if (!has(component)) {
            return {Code::kIncompatible, Origin::kPackage, Detail::kComponentUnknown};
        }
        suit_.has_app = suit_.has_app || component.kind == ComponentKind::kApp;
        has_module = has_module || component.kind == ComponentKind::kModule;
        has_config = has_config || component.kind == ComponentKind::kConfig;
        suit_.has_settings = suit_.has_settings || component.kind == ComponentKind::kSettings;
    }
    // A configuration is switched with an application. Settings come alone: they hold at once, and
    // a revert would not take them back.
    const bool alone = suit_.has_settings && suit_.manifest.component_count() == 1;
    const bool activates = suit_.has_app || (has_module && !has_config) || alone;
    if (!activates || suit_.has_settings != alone) {
        return {Code::kIncompatible, Origin::kPackage, Detail::kNothingToActivate};
    }
    // A damaged one would be handed on, and end each trial.
    if (suit_.has_app && !has_config) OTA_TRY(c_.parts.config_status);
    if (c_.parts.config.size() != 0) c_.parts.config.choose(free_bank());
    if (c_.parts.stage.size() != 0) c_.parts.stage.choose(0);
    return {};
}

// kTryAgain while it asks a board or reads flash.
Status Session::judge_suit() {
    suit_.on_bus = false;
    if (now() - candidate_since_ > kCheckTimeout) {
        return {Code::kTimeout, Origin::kModules, Detail::kBoardSilent};
    }
    Status status;
    while (status.ok()) status = suit_.processor->step();
    if (!status.is(Code::kEndOfData)) return status;
    suit_.total = 0;
    for (size_t i = 0; i < suit_.manifest.component_count(); ++i) {
        const ComponentKind kind = suit_.manifest.component(i).kind;
        if (kind != ComponentKind::kApp && kind != ComponentKind::kConfig &&
            kind != ComponentKind::kStage) {
            continue;
        }
        const uint64_t size = suit_.processor->image_size(i);
        const uint64_t room =
            kind == ComponentKind::kApp ? c_.device.slot_size : part_of(kind).size();
        if (size > room) return {Code::kNoSpace, Origin::kVerify, Detail::kSlotTooSmall};
        suit_.total += size;
    }
    payload_.size = suit_.total;
    return {};
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

// ---------------------------------------------------------------- 3 stage

void Session::begin_commands() {
    suit_.processor->begin(suit_.manifest, suit::kPayloadFetch);
    suit_.payloads.begin(suit_.prefix.payloads);
    suit_.file_at = suit_.prefix.size;
    suit_.staged = suit_.fetched = suit_.draining = false;
    suit_.config.reset();
    suit_.settings = {};
    suit_.done = suit_.section = 0;
    suit_.board_failure = {};
    suit_.from = SuitPackage::From::kFile;
    suit_.at = suit_.target = suit_.manifest.component(0);
    ComponentResults components;
    for (size_t i = 0; i < suit_.manifest.component_count(); ++i) {
        (void)components.push_back({suit_.manifest.component(i)});
    }
    attempt_.list(components);
    stage_step_ = StageStep::kCommand;
}

Status Session::run_suit_step() {
    switch (stage_step_) {
        case StageStep::kCommand:
            return run_command();
        case StageStep::kSeek:
            return seek();
        default:
            return read_head();
    }
}

Status Session::run_command() {
    suit_.on_bus = false;
    const Status status = suit_.processor->step();
    if (!status.is(Code::kEndOfData)) return status;
    suit_.draining = true;
    suit_.from = SuitPackage::From::kFile;
    return drain();
}

// Everything that was wanted is there. Nothing may follow the last payload.
Status Session::drain() {
    // Nothing is activated but what this package brought.
    if (suit_.has_app && !suit_.staged) return malformed(Detail::kPayloadMissing);
    if (suit_.has_settings && suit_.settings.empty()) return malformed(Detail::kPayloadMissing);
    if (!suit_.payloads.is_done()) {
        stage_step_ = StageStep::kSeek;
        return {};
    }
    // A size that nobody announced can't be held against the package; no byte behind it is used.
    if (info_.size != 0 && info_.size != suit_.file_at) return malformed(Detail::kTrailingBytes);
    close();
    // Where everything was held already, nothing has said yet whose bytes these are.
    if (!is_own_record()) OTA_TRY(save_own_record());
    mark_told(false);
    c_.publisher.enter(State::kVerifying);
    return {};
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
    suit_.cipher.close();
    close();
    show_progress(reader_.position());
    if (suit_.from == SuitPackage::From::kFile) leave_payload();
    if (suit_.target.kind != ComponentKind::kApp) OTA_TRY(finish_part());
    attempt_.component(suit_.target, ComponentOutcome::kWritten);
    suit_.fetched = true;
    stage_step_ = StageStep::kCommand;
    return end_of_target(suit_.target, suit_.digest, suit_.size);
}

}  // namespace ota
