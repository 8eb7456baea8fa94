#pragma once

#include "boot/boot_audit.hpp"
#include "boot/trial.hpp"
#include "engine/remote_config.hpp"
#include "engine/session.hpp"
#include "install/app_component.hpp"
#include "install/journal.hpp"
#include "safety/plant_gate.hpp"
#include "verify/access_check.hpp"

namespace ota {

// Everything the engine needs from the platform.
struct Ports {
    Flash& running;
    Flash& standby;
    Flash& journal;
    BootControl& boot;
    Battery& battery;
    Clock& clock;
    Restart& restart;
    Mailbox& mailbox;
    StatusSignal& signal;
    // What a device may do without.
    Flash* config = nullptr;
    Flash* stage = nullptr;
    ModuleBoards* modules = nullptr;
    // The doors of field buses, and who judges what is said there.
    std::span<AccessDoor> doors{};
    const AccessCheck* access = nullptr;
};

// The conductor: starts with the question what the last restart meant, then serves commands,
// timers, the update in progress and the trial. Engine context, except where a method says
// otherwise.
class Manager final : public EngineView, public SettingsHost {
  public:
    Manager(const Ports& ports, const BootStatus& boot, const Settings& settings,
            Workspace& workspace);

    // Before start().
    TrustStore& trusted() { return trusted_; }
    FileSignature& file_signature() { return verifier_.file_signature(); }
    bool add_source(const UpdateSource& source) { return sources_.push_back(source); }
    bool add_sink(EventSink& sink) { return publisher_.add_sink(sink); }
    bool add_probe(HealthProbe& probe) { return health_.add(probe); }
    void set_safety_callback(const SafetyCallback& callback) { gate_.set_callback(callback); }
    void set_modules(ModuleBoards& modules, const BoardPolicy& policy) {
        ports_.modules = &modules;
        settings_.boards = policy;
    }
    // The firmware's own; what is asked for from afar comes on top.
    void set_thresholds(const SafetyThresholds& thresholds);
    // Before start(): there is one who brings settings from afar, and can take them back.
    void accept_settings() { settings_.remote_settings = true; }
    void set_settings_sink(SettingsSink& sink) { settings_sink_ = &sink; }

    // Reads what there is: otadata, journal, running image. Emits nothing. Fails only when one of
    // them can't be read. The caller's context, before the engine runs.
    Status start();

    // Acts on what the last restart meant. Once, before the first step.
    void begin();

    // One round: at most one command, one piece of the update, one look at the trial. Sleeps no
    // longer than max_wait for a command. False once a stop was asked for.
    bool step(Millis max_wait);

    // Of the trial of this boot, for another Manager of the same boot. 0: there was none.
    Millis trial_deadline() const { return settings_.trial_deadline; }

    // Any context: ends the engine after the step in progress, aborting an update.
    void ask_to_stop();

    // Sources judge certificates by it. Engine context; valid from start().
    const TimeFloor& time_floor() const { return floor_; }

    // What channels remember there is told to the cloud. Engine context; valid from start().
    UpdateLog& log() { return journal_; }

    // Engine context; valid from start().
    Status take_settings(std::string_view json, SettingsCarrier carrier) override;
    void describe_settings(SettingsText& out) const override;

    EngineSnapshot snapshot() const override { return publisher_.read(); }
    bool would_accept(CommandKind command) const override;
    // The configuration that belongs to the running image. Any context, from start(). kUnavailable:
    // it has none; kStorage / kConfigDamaged: flash does not hold it any more.
    Status configuration(BankContent& out) const;
    // Exactly out.size() bytes of it.
    Status read_configuration(uint32_t offset, MutableBytes out);

  private:
    static constexpr Millis kTrialInterval = 250;  // how often probes are asked
    static constexpr Millis kPeerInterval = 500;   // how often the interlock is, for peers

    Millis begin_deadline();
    Status read_device();
    Status identify_judge();
    void revoke_keys();
    void record_revoked();
    void open_config();
    void publish_boot();
    void publish_for_peers();
    void act_on(const BootAudit& audit);
    void begin_trial();
    void discard_commands();
    void finish_reverted(RevertReason reason);
    void tell_end();
    void tell_refused_settings(std::string_view json);
    void publish_report();

    void apply_settings();
    const RemoteSettings& asked_settings() const;
    bool is_out_of_window() const;
    void serve(const Command& command);
    void serve_channels();
    void serve_timers();
    void schedule_check();
    Millis short_pause(uint32_t period);
    Millis opening_pause();
    Millis next_interval();

    void step_trial();
    void keep();
    void end_trial();
    void publish_named();
    void leave(RevertReason reason, const ProbeName& probe);
    void stay();
    void roll_back();
    bool is_record_of_running() const;
    UpdateRecord record_of_running() const;

    Ports ports_;
    BootStatus boot_;
    Settings settings_;      // in force
    Settings own_settings_;  // before anybody asked for others
    RefusedSettings refused_settings_;
    uint32_t told_settings_ = 0;  // CRC-32 of the document whose refusals were told
    SettingsSink* settings_sink_ = nullptr;
    TrustStore trusted_;
    DeviceProfile device_;
    TimeFloor floor_;
    BootAudit audit_;
    uint32_t running_secure_version_ = 0;
    Publisher publisher_;
    Journal journal_;
    Verifier verifier_;
    AppComponent app_;
    DataComponent config_;
    DataComponent stage_;
    std::optional<BankContent> running_config_;
    Status config_status_;
    FlashRegion running_bank_;
    PlantGate gate_;
    BatteryProbe battery_probe_;
    StorageProbe storage_probe_;
    JournalProbe journal_probe_;
    ConfigProbe config_probe_;
    HealthCheck health_;
    Trial trial_;
    UpdateSources sources_;
    Session session_;

    std::atomic<bool> stop_asked_{false};
    State last_state_ = State::kIdle;
    Millis next_check_ = 0;
    Millis next_look_ = 0;  // at the media
    Millis next_service_ = 0;
    Millis next_trial_step_ = 0;
    Millis next_peer_look_ = 0;
    uint8_t confirm_failures_ = 0;
    Backoff check_backoff_{30000, 3600000};
    Jitter check_jitter_;
    bool is_spread_ = false;  // the interval began at a time of this device's own
    bool was_closed_ = false;
    Millis idle_wait_ = 0;
};

}  // namespace ota
