#include "engine/manager.hpp"

#include "engine/state_machine.hpp"
#include "wire/sha256.hpp"

namespace ota {
namespace {

template <size_t N>
void copy_text(char (&out)[N], const char* text) {
    size_t i = 0;
    for (; i + 1 < N && text[i] != '\0'; ++i) out[i] = text[i];
    out[i] = '\0';
}

}  // namespace

Manager::Manager(const Ports& ports, const BootStatus& boot, const Settings& settings,
                 Workspace& workspace)
    : ports_(ports),
      boot_(boot),
      settings_(settings),
      own_settings_(settings),
      publisher_(ports.signal),
      journal_(ports.journal),
      verifier_(trusted_, settings.verify_signature),
      app_({ports.running, ports.standby, boot.standby}, ports.boot, settings.erase_policy,
           verifier_.sink()),
      config_(ports.config, boot.slot_count > kMaxPairings ? uint8_t{0} : boot.slot_count,
              settings.erase_policy, verifier_.parts()),
      stage_(ports.stage, 1, settings.erase_policy, verifier_.parts()),
      gate_(ports.battery, ports.clock),
      battery_probe_(ports.battery, ports.clock),
      storage_probe_(app_.running_image()),
      journal_probe_(journal_),
      config_probe_(config_status_),
      trial_(health_, ports.boot, journal_),
      session_({ports.clock,
                ports.restart,
                ports.boot,
                journal_,
                app_,
                verifier_,
                gate_,
                publisher_,
                settings_,
                sources_,
                device_,
                floor_,
                workspace,
                trusted_,
                ports.battery,
                {config_, stage_, ports_.modules, config_status_, *this}}) {
    gate_.set_thresholds(settings.thresholds);
    (void)health_.add(battery_probe_);
    (void)health_.add(storage_probe_);
    (void)health_.add(journal_probe_);
    (void)health_.add(config_probe_);
}

// ---------------------------------------------------------------- start

Status Manager::start() {
    OTA_TRY(ports_.boot.status(boot_));
    OTA_TRY(journal_.open());
    revoke_keys();
    OTA_TRY(read_device());
    open_config();
    apply_settings();
    if (settings_sink_ != nullptr) settings_sink_->on_settings(asked_settings());
    const uint32_t seed = settings_.jitter_seed ^ load_le32(device_.build_id.data());
    check_backoff_.seed(seed);
    check_jitter_.seed(seed);
    session_.seed(seed);
    audit_ = audit_boot(boot_, journal_.update(), device_.build_id);
    publish_boot();
    publish_report();
    next_check_ = ports_.clock.now() + short_pause(settings_.check_interval_ms);
    is_spread_ = was_closed_ = false;
    stop_asked_ = false;
    confirm_failures_ = 0;
    discard_commands();
    return {};
}

void Manager::begin() {
    BatterySnapshot battery;
    const Status provider = ports_.battery.snapshot(battery);
    if (provider.detail() == Detail::kNoBatteryProvider) {
        publisher_.report({Code::kUnsafe, Origin::kSafety, Detail::kNoBatteryProvider});
    }
    if (const auto interrupted = interrupted_attempt(journal_, boot_.reset)) {
        if (journal_.save(*interrupted).ok()) session_.mark_told(true);
        publish_report();
        session_.tell_attempt(false);
    }
    act_on(audit_);
    publish_report();
}

// What was posted and not served before a stop; thresholds were accepted for good.
void Manager::discard_commands() {
    Command command;
    while (*ports_.mailbox.take(command, 0)) {
        if (command.kind == CommandKind::kSetThresholds) set_thresholds(command.thresholds);
    }
}

void Manager::ask_to_stop() {
    stop_asked_ = true;
    Command wake_up;
    wake_up.kind = CommandKind::kStop;
    (void)ports_.mailbox.post(wake_up);  // a full mailbox wakes the engine as well
}

Status Manager::read_device() {
    std::array<uint8_t, layout::kImagePrefixSize> prefix;
    OTA_TRY(app_.running_image().read_at(0, prefix));
    ImageIdentity running;
    OTA_TRY(parse_image_identity(prefix, running));
    OTA_TRY(sha256(prefix, device_.build_id));
    OTA_TRY(identify_judge());
    running_secure_version_ = running.secure_version;
    device_.chip_id = settings_.chip_id;
    device_.chip_revision = settings_.chip_revision;
    device_.project = running.project;
    device_.version = running.version;
    device_.min_secure_version =
        std::max(running.secure_version, journal_.confirmed().secure_version);
    device_.slot_size = ports_.standby.geometry().size;
    floor_ = {std::max(running.built_at, kFirstBuild), journal_.known_time()};
    return {};
}

// Looked up by the slot that runs, and read once: what is not what was paired is not used.
void Manager::open_config() {
    running_config_.reset();
    config_status_ = {};
    const Pairing* pairing = pairing_of(journal_.pairings(), boot_.running, device_.build_id);
    if (pairing == nullptr) return;
    running_config_ = pairing->content;
    const bool fits =
        pairing->content.bank < config_.banks() && pairing->content.size <= config_.size();
    config_status_ = {Code::kStorage, Origin::kBoot, Detail::kConfigDamaged};
    if (!fits) return;
    running_bank_ =
        FlashRegion(*ports_.config, pairing->content.bank * config_.size(), config_.size());
    FlashImage image(running_bank_);
    Digest digest;
    const bool read = image.digest(pairing->content.size, digest).ok();
    if (read && digest == pairing->content.digest) config_status_ = {};
}

Status Manager::configuration(BankContent& out) const {
    if (!running_config_) return {Code::kUnavailable, Origin::kEngine, Detail::kNone};
    OTA_TRY(config_status_);
    out = *running_config_;
    return {};
}

Status Manager::read_configuration(uint32_t offset, MutableBytes out) {
    BankContent content;
    OTA_TRY(configuration(content));
    if (offset > content.size || out.size() > content.size - offset) {
        return {Code::kOutOfRange, Origin::kEngine, Detail::kNone};
    }
    return running_bank_.read(offset, out);
}

// Keys that this firmware, or one that was confirmed before, takes for lost.
void Manager::revoke_keys() {
    for (const Digest& key : journal_.revoked()) trusted_.revoke(key);
    for (const Digest& key : settings_.revoked) trusted_.revoke(key);
}

// A firmware that holds revokes its keys for good: an older one that comes back by a revert, with
// the lost key in its list, does not accept it either. When there are too many, the oldest fall
// out.
void Manager::record_revoked() {
    const RevokedKeys& known = journal_.revoked();
    const auto is_known = [&](const Digest& key) {
        return std::find(known.begin(), known.end(), key) != known.end();
    };
    RevokedKeys all = settings_.revoked;
    if (std::all_of(all.begin(), all.end(), is_known)) return;
    for (const Digest& key : known) {
        if (std::find(all.begin(), all.end(), key) == all.end()) (void)all.push_back(key);
    }
    (void)journal_.save(all);
}

// What was refused stays so for as long as the same firmware judges by the same keys and digests.
Status Manager::identify_judge() {
    RunningHash hash(PSA_ALG_SHA_256);
    OTA_TRY(hash.start());
    OTA_TRY(hash.update(device_.build_id));
    for (const TrustedKey& key : trusted_.keys()) OTA_TRY(hash.update(key.bytes()));
    const std::optional<TrustedKey>& beside = verifier_.file_signature().key();
    if (beside) OTA_TRY(hash.update(beside->bytes()));
    if (settings_.expected.sha256) OTA_TRY(hash.update(*settings_.expected.sha256));
    if (settings_.expected.md5) OTA_TRY(hash.update(*settings_.expected.md5));
    return hash.value(device_.judge_id);
}

void Manager::publish_boot() {
    publisher_.set([&](EngineSnapshot& s) {
        s.running = boot_.running;
        s.boot = boot_.boot;
        s.running_state =
            boot_.running == kFactorySlot ? layout::kStateUndefined : boot_.state_of(boot_.running);
        copy_text(s.running_version, device_.version.c_str());
        s.running_secure_version = running_secure_version_;
        s.trial =
            audit_.finding == BootFinding::kTrial || audit_.finding == BootFinding::kFinishConfirm;
    });
}

// What those who push packages want to know before they do.
void Manager::publish_for_peers() {
    const bool has_peers = std::any_of(sources_.begin(), sources_.end(),
                                       [](const UpdateSource& s) { return is_pushed(s.kind); });
    const Millis now = ports_.clock.now();
    if ((!has_peers && ports_.modules == nullptr) || now < next_peer_look_) return;
    next_peer_look_ = now + kPeerInterval;
    uint16_t interlock = gate_.interlock();
    if (session_.waits()) interlock = static_cast<uint16_t>(interlock | kInterlockSchedule);
    const bool is_busy = !accepts(publisher_.state(), CommandKind::kPush, false);
    if (is_busy && !session_.is_of_peer())
        interlock = static_cast<uint16_t>(interlock | kInterlockLocal);
    const UpdateRecord& record = journal_.update();
    const bool holds = record.stage == UpdateStage::kStaging && is_pushed(record.source);
    const Digest held = holds ? record.source_identity : Digest{};
    const bool at_rest = gate_.is_at_rest();
    const EngineSnapshot& seen = publisher_.value();
    if (seen.interlock == interlock && seen.held == held && seen.at_rest == at_rest) return;
    publisher_.set([&](EngineSnapshot& s) {
        s.interlock = interlock;
        s.at_rest = at_rest;
        s.held = held;
    });
}

void Manager::act_on(const BootAudit& audit) {
    switch (audit.finding) {
        case BootFinding::kNormal:
            record_revoked();
            break;
        case BootFinding::kTrial:
            return begin_trial();
        case BootFinding::kFinishConfirm:
            trial_.resume(begin_deadline());
            return keep();
        case BootFinding::kFinishRevert:
            return leave(journal_.update().reason, journal_.update().probe);
        case BootFinding::kNoWayBack:
            return stay();
        case BootFinding::kReverted:
            finish_reverted(audit.reason);
            break;
        case BootFinding::kRearm:
            publisher_.notice(Notice::kRepaired);
            return session_.rearm();
    }
    if (!audit.repair) return;
    const Status repaired = trial_.name_running();
    publisher_.notice(Notice::kRepaired, repaired);
}

// Once for each boot: whoever stops and starts the manager does not put it off.
Millis Manager::begin_deadline() {
    if (settings_.trial_deadline == 0) {
        settings_.trial_deadline = ports_.clock.now() + settings_.rollback_timeout_ms;
    }
    return settings_.trial_deadline;
}

void Manager::begin_trial() {
    // Nobody may have recorded how this image got here; then the record is built from the image
    // itself.
    const UpdateRecord record = is_record_of_running() ? journal_.update() : record_of_running();
    const Status status = trial_.begin(record, begin_deadline());
    publisher_.notice(Notice::kTrialStarted, status);
    if (!settings_.allow_rollback) keep();
}

// The previous image is back; why is told once and remembered.
void Manager::finish_reverted(RevertReason reason) {
    UpdateRecord record = journal_.update();
    if (reason == RevertReason::kPowerCycle) {
        // Power lost between the two records below must not hide the reason that was found first.
        for (const RejectedBuild& build : journal_.rejected()) {
            if (build.build_id == record.build_id) reason = build.reason;
        }
    }
    record.stage = UpdateStage::kReverted;
    record.reason = reason;
    record.reset = boot_.reset;
    // Losing power says nothing about the image, until it has happened too often.
    const bool not_its_fault = reason == RevertReason::kPowerCycle;
    if (!not_its_fault || record.attempts >= kMaxTrials) {
        (void)journal_.reject({record.build_id, reason});
        if (record.package_id != Digest{}) (void)journal_.reject({record.package_id, reason});
    }
    (void)journal_.save(record);
    publisher_.notice(Notice::kReverted, {}, Verdict::yes(), reason);
    tell_end();
}

// What became of the image that the latest attempt brought; of another attempt nothing is new.
void Manager::tell_end() {
    publish_report();
    const Outcome outcome = publisher_.value().attempt.outcome;
    const bool is_end = outcome == Outcome::kConfirmed || outcome == Outcome::kReverted ||
                        outcome == Outcome::kKept;
    if (is_end) session_.tell_attempt(false);
}

void Manager::publish_report() {
    const UpdateRecord& record = journal_.update();
    // A revert that was found is told at once, also before it is recorded.
    const bool found_reverted =
        audit_.finding == BootFinding::kReverted && record.stage != UpdateStage::kReverted;
    publisher_.set([&](EngineSnapshot& s) {
        s.report_stage = found_reverted ? UpdateStage::kReverted : record.stage;
        s.report_reason = found_reverted ? audit_.reason : record.reason;
        copy_text(s.report_version, record.version.c_str());
        copy_text(s.report_probe, record.probe.c_str());
        s.attempt = attempt_with_end(journal_.attempt(), record);
    });
}

}  // namespace ota
