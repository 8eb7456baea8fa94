#include "powercut/driver.hpp"

#include <memory>

#include "observe/event_text.hpp"
#include "powercut/before.hpp"
#include "powercut/cloud.hpp"
#include "powercut/pushers.hpp"
#include "support/encryption.hpp"

namespace powercut {
namespace {

using ota::CommandKind;
using ota::CutKind;
using ota::Notice;
using ota::ResetReason;
using ota::State;
using test::Buffer;
using test::Device;

constexpr std::array<CutKind, 5> kKinds = {CutKind::kClean, CutKind::kTornBytes, CutKind::kTornBits,
                                           CutKind::kHalfErased, CutKind::kUnstable};
constexpr int kMaxBoots = 14;
constexpr size_t kMaxFindings = 10;
constexpr ota::Digest kLostKey = {0x10, 0x57};  // of no key that signs here

ota::RemoteSettings settings_of_owner() {
    ota::RemoteSettings out;
    out.min_soc = 40;
    out.window = ota::UpdateWindow{0, 1440};
    return out;
}

// Records an uncut run, so that the state at any cut is the prefix of operations and one torn one.
struct Operation {
    ota::FlashOperation::Kind kind;
    uint32_t address;
    uint32_t length;
    Buffer bytes;
};

class Recorder final : public ota::FlashObserver {
  public:
    explicit Recorder(const Cloud* cloud) : cloud_(cloud) {}
    void on_operation(const ota::FlashOperation& operation) override {
        if (cloud_ != nullptr) clouds.push_back(cloud_->state());
        log.push_back({operation.kind, operation.address, operation.length,
                       Buffer(operation.bytes.begin(), operation.bytes.end())});
    }
    void on_power_lost() override {}
    std::vector<Operation> log;
    std::vector<Cloud::State> clouds;  // what the cloud knew at each

  private:
    const Cloud* cloud_;
};

ota::Status apply(ota::FlashModel& flash, const Operation& operation) {
    if (operation.kind == ota::FlashOperation::Kind::kErase) {
        return flash.erase(operation.address, operation.length);
    }
    Buffer bytes = operation.bytes;
    flash.apply_key(operation.address, bytes);
    return flash.program(operation.address, bytes);
}

class Run {
  public:
    Run(const Scenario& scenario, const Buffer& image)
        : scenario_(scenario), device_(layout_of(scenario)) {
        if (scenario.via == Via::kModbus) pusher_ = std::make_unique<ModbusMaster>(device_);
        if (scenario.via == Via::kCan) pusher_ = std::make_unique<UdsTester>(device_);
        if (scenario.via == Via::kStream || scenario.via == Via::kUrl) {
            cloud_ = std::make_unique<Cloud>(device_, image, scenario.via == Via::kUrl);
        } else if (pusher_ == nullptr) {
            device_.source.package = image;
        }
        package_ = image;
        device_.source.chunk = scenario.chunk;
        // With an entity tag and a proven time every kind of journal record is written.
        if (scenario.tagged) {
            device_.source.tag = "\"v1\"";
            device_.source.proven_time = 1800000000;
        }
        device_.settings.suit.vendor.fill(0x11);
        device_.settings.suit.class_id.fill(0x22);
        device_.settings.payload_keys = test::device_keys();
        device_.probes.push_back(&probe_);
        device_.settings.rollback_timeout_ms = 5000;
    }
    Device& device() { return device_; }
    Cloud* cloud() { return cloud_.get(); }  // null: another brings the package

    // Boots and lives until the device rests, restarts included. False when no image boots.
    bool live(ResetReason reset) {
        for (int boots = 0; boots < kMaxBoots; ++boots) {
            probe_.health = ota::Health::kPass;
            if (!device_.boot(reset)) {
                if (device_.flash.is_off()) return true;
                bricked_ = true;
                return false;
            }
            if (cloud_ != nullptr) cloud_->connect();
            const bool is_new = device_.running_version() == kNew;
            mixed_ = mixed_ || !belongs_together(is_new);
            ran_untrusted_ = ran_untrusted_ || (is_new && scenario_.temper == Temper::kUntrusted);
            const bool behaves =
                scenario_.temper == Temper::kGood || scenario_.temper == Temper::kRolledBack;
            reset = is_new && !behaves ? live_badly() : live_well();
            if (is_new && scenario_.temper == Temper::kRolledBack && !restarted_) roll_back();
            if (device_.flash.is_off() || !restarted_) return true;
        }
        looped_ = true;
        return true;
    }
    // The operator, or the periodic check, asks for the update unless it is there or was given up.
    void ask() {
        if (pusher_ != nullptr) {
            ++attempts_;
            pusher_->push(package_);
            return apply_staged();
        }
        (void)device_.post(CommandKind::kCheck);
        (void)device_.run_until(
            [&] { return device_.mailbox.queue.empty() && device_.state() != State::kChecking; });
        if (device_.flash.is_off() || device_.state() != State::kUpdateAvailable) return;
        ++attempts_;
        (void)device_.post(CommandKind::kStartUpdate);
        if (!device_.run_until([&] {
                return device_.state() == State::kReadyToApply || device_.state() == State::kFailed;
            }))
            return;
        apply_staged();
    }
    void apply_staged() {
        if (device_.flash.is_off() || device_.state() != State::kReadyToApply) return;
        (void)device_.post(CommandKind::kApply);
        (void)device_.run_until([&] { return device_.restart_requested(); });
    }
    // The whole update from a running device: ask, then follow the restarts.
    void update() {
        if (device_.up()) ask();
        if (!device_.flash.is_off() && device_.restart_requested())
            (void)live(ResetReason::kSoftware);
    }
    bool bricked() const { return bricked_; }
    bool looped() const { return looped_; }
    bool ran_untrusted() const { return ran_untrusted_; }
    // An image ran with the configuration of another.
    bool mixed() const { return mixed_; }
    int attempts() const { return attempts_; }
    void forget() {
        attempts_ = 0;
        mixed_ = false;
    }

  private:
    bool belongs_together(bool is_new) {
        if (!scenario_.config || device_.running() == ota::kFactorySlot) return true;
        if (device_.flash.is_off()) return true;  // nobody sees it
        return device_.configuration() == config_of(is_new ? kNewConfig : kOldConfig);
    }
    ResetReason live_well() {
        restarted_ = false;
        (void)device_.run_until([&] { return device_.restart_requested() || is_at_rest(); }, 60000);
        restarted_ = device_.restart_requested();
        return ResetReason::kSoftware;
    }
    bool is_at_rest() {
        const State state = device_.state();
        const bool rest =
            state == State::kIdle || state == State::kFailed || state == State::kAborted;
        return rest && !device_.manager().snapshot().trial;
    }
    void roll_back() {
        (void)device_.post(CommandKind::kRollback);
        (void)device_.run_until([&] { return device_.restart_requested(); }, 5000);
        restarted_ = device_.restart_requested();
    }
    ResetReason live_badly() {
        restarted_ = true;
        switch (scenario_.temper) {
            case Temper::kCrashes:
                device_.shut_down();
                return ResetReason::kPanic;
            case Temper::kHangs:
                device_.shut_down();
                return ResetReason::kWatchdog;
            default:
                probe_.health = ota::Health::kFail;
                return live_well();
        }
    }

    const Scenario& scenario_;
    Device device_;
    test::FakeProbe probe_;
    std::unique_ptr<Pusher> pusher_;
    std::unique_ptr<Cloud> cloud_;
    Buffer package_;
    bool bricked_ = false;
    bool looped_ = false;
    bool ran_untrusted_ = false;
    bool mixed_ = false;
    bool restarted_ = false;
    int attempts_ = 0;
};

class Sweep {
  public:
    Sweep(const Scenario& scenario, uint32_t seed)
        : scenario_(scenario),
          seed_(seed),
          image_(new_image(scenario)),
          start_(make_start()),
          run_(scenario, image_) {
        record();
    }

    Tally go(int64_t only_cut, int only_kind) {
        Device base(layout_of(scenario_));  // advances operation by operation
        base.load(start_);
        for (size_t k = 0; k < log_.size(); ++k) {
            for (size_t kind = 0; kind < kKinds.size(); ++kind) {
                const bool wanted = (only_cut < 0 || only_cut == static_cast<int64_t>(k)) &&
                                    (only_kind < 0 || only_kind == static_cast<int>(kind));
                const bool sensible = kKinds[kind] != CutKind::kHalfErased ||
                                      log_[k].kind == ota::FlashOperation::Kind::kErase;
                if (wanted && sensible) cut_and_again(base, k, kind);
            }
            (void)apply(base.flash, log_[k]);
        }
        return tally_;
    }

  private:
    Buffer make_start() {
        Device device(layout_of(scenario_));
        prepare(device, scenario_);
        (void)device.boot();
        if (scenario_.config && !scenario_.layout.factory) prepare_config(device);
        ota::Journal journal(device.journal_region());
        (void)journal.open();
        ota::RevokedKeys revoked;
        (void)revoked.push_back(kLostKey);
        (void)journal.save(revoked);              // once, long ago: nobody writes it again
        (void)journal.save(settings_of_owner());  // likewise
        for (uint32_t i = 0; i < scenario_.filled_journal; ++i) {
            ota::UpdateRecord record;
            record.stage = ota::UpdateStage::kDropped;
            (void)journal.save(record);
        }
        device.shut_down();
        return device.memory();
    }

    void record() {
        Run run(scenario_, image_);
        run.device().load(start_);
        Recorder recorder(run.cloud());
        run.device().flash.set_observer(&recorder);
        (void)run.live(ResetReason::kPowerOn);
        run.update();
        if (run.cloud() != nullptr) (void)run.cloud()->is_told();
        log_ = std::move(recorder.log);
        clouds_ = std::move(recorder.clouds);
        if (!ended_right(run)) find("the uncut update does not end as it should", 0, 0);
        if (run.device().flash.misuses() != 0) find("the uncut update misuses flash", 0, 0);
        if (scenario_.every_second_cut && log_.size() > 100) find("more than 100 operations", 0, 0);
    }

    bool ended_right(Run& run) {
        const bool good = scenario_.temper == Temper::kGood;
        return run.device().up() && run.device().running_version() == (good ? kNew : kOld);
    }

    // One cut, or with it one in the recovery: at a place that the seed gives, or at each in turn.
    void cut_and_again(Device& base, size_t k, size_t kind) {
        const auto case_seed = seed_ + static_cast<uint32_t>(k * kKinds.size() + kind);
        const uint32_t every = scenario_.second_cut_every;
        if (!scenario_.every_second_cut) {
            const bool again = every != 0 && k % every == 0;
            (void)cut(base, k, kind, again ? 1 + case_seed % 11 : 0);
            return;
        }
        for (uint32_t second = 1; cut(base, k, kind, second); ++second) {
        }
    }

    // Power fails in operation k of the recorded run, as kind says, and, unless second is 0, in the
    // second-th operation of the recovery; then the device recovers. False when the recovery was
    // over before.
    bool cut(Device& base, size_t k, size_t kind, uint32_t second) {
        ++tally_.cuts;
        second_ = second;
        const auto case_seed = seed_ + static_cast<uint32_t>(k * kKinds.size() + kind) + second;
        Run& run = run_;
        run.device().load(base.memory());
        if (run.cloud() != nullptr) run.cloud()->set(clouds_[k]);
        run.device().flash.protect(0, 0);
        run.device().flash.cut_at(1, kKinds[kind], case_seed);
        (void)apply(run.device().flash, log_[k]);
        run.device().flash.power_on();
        const uint32_t misuses = run.device().flash.misuses();
        bool hit = false;
        if (second != 0) {
            run.device().flash.cut_at(second, kKinds[(kind + k + second) % kKinds.size()],
                                      case_seed + 1);
            if (run.live(ResetReason::kPowerOn)) run.update();
            hit = run.device().flash.is_off();
            run.device().flash.power_on();
        }
        const ota::UpdateStage stage = recorded_stage(run.device());
        recover(run, k, kind);
        if (stage == ota::UpdateStage::kConfirming && scenario_.temper == Temper::kGood && !kept_) {
            find("a recorded decision to keep the image was lost", k, kind);
        }
        if (run.device().flash.misuses() != misuses) find("flash was misused", k, kind);
        return hit;
    }

    void recover(Run& run, size_t k, size_t kind) {
        run.device().events.events.clear();
        run.forget();
        if (!run.live(ResetReason::kPowerOn)) {
            ++tally_.bricked;
            return find("bricked: no image boots", k, kind);
        }
        const bool confirmed_before = is_confirmed_new(run);
        kept_ = confirmed_before;  // without being asked for again
        for (int attempt = 0; attempt < 2 && !has_ended(run); ++attempt) run.update();
        if (run.bricked()) {
            ++tally_.bricked;
            return find("bricked in the recovery", k, kind);
        }
        if (run.looped() || !has_ended(run) || !ended_right(run)) {
            ++tally_.stuck;
            return find("stuck: the update did not end", k, kind);
        }
        // Pieces from before and after a cut that do not match are not held against the package;
        // then it is fetched whole once more.
        const bool pieced = scenario_.suit && scenario_.temper == Temper::kUntrusted;
        if (run.attempts() > (pieced ? 2 : 1)) find("more than one further attempt", k, kind);
        if (run.ran_untrusted()) find("an untrusted image ran", k, kind);
        if (run.mixed()) find("an image ran with another's configuration", k, kind);
        check_rest(run, confirmed_before, k, kind);
    }

    static ota::UpdateStage recorded_stage(Device& device) {
        ota::Journal journal(device.journal_region());
        return journal.open().ok() ? journal.update().stage : ota::UpdateStage::kNone;
    }

    static bool recorded_revocation(Device& device) {
        ota::Journal journal(device.journal_region());
        return journal.open().ok() && journal.revoked().size() == 1 &&
               journal.revoked()[0] == kLostKey;
    }

    // Why the report has to say that the image was given up.
    ota::RevertReason expected_reason() const {
        switch (scenario_.temper) {
            case Temper::kCrashes:
                return ota::RevertReason::kCrashed;
            case Temper::kHangs:
                return ota::RevertReason::kWatchdog;
            case Temper::kUnhealthy:
                return ota::RevertReason::kUnhealthy;
            case Temper::kRolledBack:
                return ota::RevertReason::kRequested;
            default:
                return ota::RevertReason::kNone;
        }
    }

    ota::Outcome expected_outcome() const {
        switch (scenario_.temper) {
            case Temper::kGood:
                return ota::Outcome::kConfirmed;
            case Temper::kUntrusted:
                return ota::Outcome::kFailed;
            default:
                return ota::Outcome::kReverted;
        }
    }

    // The update is over: the good image is confirmed, or the bad one was given up.
    bool has_ended(Run& run) {
        if (!run.device().up()) return false;
        if (run.cloud() != nullptr && !run.cloud()->is_told()) return false;
        if (scenario_.temper == Temper::kGood) return is_confirmed_new(run);
        if (run.cloud() != nullptr) return true;
        run.device().events.events.clear();
        (void)run.device().post(CommandKind::kCheck);
        (void)run.device().run_until([&] {
            return run.device().mailbox.queue.empty() && run.device().state() != State::kChecking;
        });
        const ota::Event* idle = run.device().events.last(State::kIdle);
        const ota::Detail expected = scenario_.temper == Temper::kUntrusted
                                         ? ota::Detail::kRefusedBefore
                                         : ota::Detail::kRevertedBefore;
        if (idle == nullptr) return false;
        // The source may know it by its tag, and not look at it again.
        return idle->status.detail() == expected ||
               idle->status.detail() == ota::Detail::kNotModified;
    }

    bool is_confirmed_new(Run& run) {
        if (!run.device().up() || run.device().running_version() != kNew) return false;
        return run.device().boot_status().state_of(run.device().running()) ==
               ota::layout::kStateValid;
    }

    // What holds of a device at rest, whatever happened to it.
    void check_rest(Run& run, bool confirmed_before, size_t k, size_t kind) {
        if (scenario_.temper == Temper::kRolledBack) confirmed_before = false;
        const ota::BootStatus status = run.device().boot_status();
        const bool factory = status.running == ota::kFactorySlot;
        if (status.boot != (factory ? ota::kNoSlot : status.running))
            find("otadata names another slot", k, kind);
        const ota::RevertReason reason = run.device().manager().snapshot().report_reason;
        if (reason != expected_reason()) {
            ++tally_.unexplained;
            find("the report gives another reason", k, kind);
        }
        if (run.device().manager().snapshot().attempt.outcome != expected_outcome()) {
            ++tally_.unexplained;
            find(std::string("the report says: ") +
                     ota::outcome_text(run.device().manager().snapshot().attempt.outcome),
                 k, kind);
        }
        const std::string version = run.device().running_version();
        if (run.device().manager().snapshot().running_version != version)
            find("reports another version", k, kind);
        const bool succeeded = run.cloud() == nullptr || run.cloud()->end() == "SUCCEEDED";
        if (run.cloud() != nullptr && succeeded != (scenario_.temper == Temper::kGood)) {
            ++tally_.unexplained;
            find("the cloud was told: " + run.cloud()->end(), k, kind);
        }
        if (!recorded_revocation(run.device())) find("a revoked key was forgotten", k, kind);
        if (run.device().manager().log().remote_settings() != settings_of_owner()) {
            find("settings from afar were forgotten", k, kind);
        }
        if (confirmed_before && version != kNew) find("a confirmed image was lost", k, kind);
        if (!run.live(ResetReason::kPowerOn) || run.device().running_version() != version) {
            find("does not stay over a power cycle", k, kind);
        }
    }

    void find(const std::string& what, size_t k, size_t kind) {
        ++tally_.broken;
        if (tally_.findings.size() == kMaxFindings) return;
        tally_.findings.push_back(what + ": --scenario " + scenario_.name + " --cut " +
                                  std::to_string(k) + " --kind " + std::to_string(kind) +
                                  " --seed " + std::to_string(seed_) +
                                  (second_ == 0 ? "" : ", second " + std::to_string(second_)));
    }

    const Scenario& scenario_;
    uint32_t seed_;
    Buffer image_;
    Buffer start_;
    Run run_;
    std::vector<Operation> log_;
    std::vector<Cloud::State> clouds_;
    bool kept_ = false;
    uint32_t second_ = 0;  // of the case in hand
    Tally tally_;
};

}  // namespace

Tally run(const Scenario& scenario, uint32_t seed, int64_t only_cut, int only_kind) {
    return Sweep(scenario, seed).go(only_cut, only_kind);
}

}  // namespace powercut
