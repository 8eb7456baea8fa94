#pragma once

#include "engine/attempt.hpp"
#include "engine/publisher.hpp"
#include "engine/settings.hpp"
#include "engine/suit_package.hpp"
#include "package/esp_image_reader.hpp"
#include "package/package_reader.hpp"
#include "ports/backoff.hpp"
#include "ports/battery.hpp"
#include "ports/component.hpp"
#include "ports/restart.hpp"
#include "safety/schedule.hpp"

namespace ota {

// The transfer buffer (design rule 15) and the start of the package, which with SUIT holds the
// manifest until the restart. Caller-owned, so that its place in RAM is visible.
struct Workspace {
    std::array<uint8_t, build::kIoBuffer> io;
    std::array<uint8_t, build::kSuit ? kMaxEnvelopePrefix : kPackagePrefixSize> prefix;
};

// One update from poll to restart; the file reads top to bottom as the flow of it. Engine context.
class Session final : private PayloadHost {
  public:
    struct Context {
        Clock& clock;
        Restart& restart;
        BootControl& boot;
        UpdateLog& log;
        Component& app;
        Verifier& verifier;
        SafetyGate& gate;
        Publisher& publisher;
        const Settings& settings;
        const UpdateSources& sources;
        const DeviceProfile& device;
        TimeFloor& floor;
        Workspace& workspace;
        const TrustStore& trusted;
        Battery& battery;
        Parts parts;
    };
    explicit Session(const Context& context)
        : c_(context), reader_(*this), attempt_(context.log, context.publisher, context.clock) {}

    // Looks for an update that nobody asked for: builds that were reverted or refused are left
    // alone.
    void check();
    // Stages what was found. Otherwise it checks first, and offers reverted and refused builds
    // again: a person asked.
    void start_update();
    // Stages what a peer of this source has opened. What was reverted or refused stays so.
    void start_push(SourceKind kind);
    // Is what is in hand a peer's?
    bool is_of_peer() const { return pushed_by_.has_value(); }
    void apply();
    void abort();
    // The publisher of what this source has brought took it back.
    void withdraw(const UpdateSource& source);
    // Goes on with a package that waited for its time when the device was restarted.
    void continue_wait();
    bool waits() const;
    // Boots the slot of the journal's record again after its otadata entry was lost.
    void rearm();

    // One bounded piece of work; returns how long there is nothing to do.
    Millis step();

    // Tells the world, and the channel the package came from, of the snapshot's attempt. Not in
    // hand: of an earlier boot.
    void tell_attempt(bool in_hand);
    // The attempt that a reset ended was told.
    void mark_told(bool told);

    // Jitter of this device.
    void seed(uint32_t value) { backoff_.seed(value); }
    // After a failure: how long the peer wants to be left alone; 0 = it did not say.
    Millis retry_after() const { return retry_after_; }

  private:
    friend class SuitHosts;

    enum class StageStep : uint8_t {
        kCommand,   // SUIT: the next command
        kSeek,      // SUIT: to the head of the next payload
        kReadHead,  // SUIT
        kOpenSlot,
        kPrepare,
        kOpenSource,
        kAwaitSource,
        kPump
    };

    // 1 poll, 2 admit
    void begin_round(bool asked);
    bool takes_part(const UpdateSource& source) const;  // in this round
    Millis step_check();
    void open_candidate(const Offer& offer);
    void read_candidate();
    void look_at_prefix();
    void end_of_candidate(Status why);
    void judge_candidate();
    void finish_judging(Status verdict);
    Status judge_image();
    Status begin_suit();
    Status judge_suit();
    bool is_unfinished() const;
    Status survey_suit();
    Status name_suit_version();
    void refuse_candidate(Status why);
    void conclude_check();
    FixedVector<Validator, 2> known_packages() const;
    void note_time();
    bool is_unwanted(Status why) const;
    static bool is_circumstance(Status why);
    Status why_unwanted(Status why) const;
    Status check_build_time() const;

    // 3 stage
    void begin_staging();
    Millis step_stage();
    Status run_stage_step();
    Status open_slot();
    Status prepare_slot();
    Status open_source();
    Status await_source();
    Status pump();
    Status check_pace();
    uint64_t payload_at() const;
    Status end_of_stream();
    void restart_timers();
    Millis retry_later();
    bool may_resume() const;
    Status same_prefix(bool& same);
    UpdateRecord staging_record() const;
    void begin_commands();
    Status run_suit_step();
    Status run_command();
    Status drain();
    Status seek();
    Status read_head();
    Status same_package(Source& source);
    void leave_payload();
    Status end_of_suit_payload();
    Source& payload_source();
    const UpdateSource* web_source() const;
    Location payload_place() const;
    bool is_from_web() const;
    Status same_web_file();
    Result<size_t> read_payload(MutableBytes room);
    void show_progress(uint64_t position);
    bool is_own_record() const;

    // components
    DataComponent& part_of(ComponentKind kind);
    ImageWriter& writer();
    uint8_t free_bank() const;
    Result<bool> part_matches(ComponentKind kind, const Digest& digest, uint64_t size);
    Status read_part(ComponentKind kind, ImageReader& image, uint64_t size);
    Status feed(ImageReader& image, uint64_t from, uint64_t to, ReadBackSink& sink);
    PartRecord recorded_part(ComponentKind kind) const;
    PartRecord part_record(ComponentKind kind, PartRecord::Stage stage, const Digest& digest,
                           uint64_t size);
    Status save_part(ComponentKind kind, const PartRecord& record);
    void drop_parts();
    Status copy_to_board(ComponentRef to, const FetchOrder& order);
    Result<bool> board_matches(ComponentRef board, const Digest& digest, uint64_t size);
    Status board_says(Status status, Detail in_the_end);
    uint8_t board_after(ComponentRef board) const;
    Status pass_over(ComponentRef board, Status why);
    Status check_quorum() const;
    Status begin_target(ComponentRef component, const FetchOrder& order);
    Status end_of_target(ComponentRef component, const Digest& digest, uint64_t size);
    Status open_part();
    Status record_part();
    Status save_own_record();
    void let_go_of_boards();
    Status check_boards_rest() const;
    void count_board_failure();
    Status finish_part();
    Result<bool> settings_match(const Digest& digest, uint64_t size);
    Status hold_settings(Bytes document, Bytes encryption);
    Status take_settings();
    bool has(ComponentRef component);
    Result<bool> match(ComponentRef component, const Digest& digest, uint64_t size);
    Status fetch(ComponentRef component, const FetchOrder& order);
    Status copy(ComponentRef from, ComponentRef to, const FetchOrder& order);
    Status write(ComponentRef component, Bytes content, Bytes encryption);
    Status begin_payload(const Payload& payload) override;
    Status payload(Bytes bytes) override;
    Status end_payload() override;

    void blame(ComponentRef component, Status why);

    // 4 verify
    Millis step_verify();
    Status read_again();
    Status judge_standby();

    // 5 activate
    Millis step_apply();
    Status arm();
    Status pair();
    Status finish_here();
    Millis step_reboot();
    Status run_before_restart();
    Status note_wait();
    void forget_wait();
    void hold_to_wait();
    Result<bool> check(const Condition& condition);
    Result<bool> is_before(uint64_t time);
    Result<bool> has_energy(uint64_t wanted_mwh);
    Result<bool> has_version(const Condition& condition);
    Status wait(Bytes info);

    // throughout
    // Is the package in hand an envelope? Never in a build without them.
    bool is_suit() const { return build::kSuit && is_suit_; }
    bool gate_is_open(Phase phase);
    bool is_source_open() const;
    StageStep reopen_step() const;
    void fail(Status why, const Verdict& verdict = Verdict::yes());
    void conclude(State state, Outcome outcome, Status why, const Verdict& verdict);
    void end();
    void close();
    void give_up_staged(Status why);
    void refuse_file(bool for_good);
    bool was_refused() const;
    Millis now() const { return c_.clock.now(); }

    Context c_;
    EspImageReader reader_;
    SuitPackage suit_;
    Attempt attempt_;
    std::optional<VerifiedSet> verified_;

    // check
    bool asked_ = false;
    bool continue_to_stage_ = false;
    std::optional<SourceKind> pushed_by_;  // this round is for its package alone
    size_t source_index_ = 0;
    bool candidate_open_ = false;
    size_t prefix_filled_ = 0;
    size_t prefix_wanted_ = 0;
    bool asked_for_more_ = false;
    bool judging_ = false;  // the candidate is read; its manifest's conditions are run
    bool is_suit_ = false;  // see is_suit()
    Status refusal_;
    SourceKind refused_by_ = SourceKind::kHttps;
    ImageIdentity refused_image_;
    bool has_image_ = false;   // payload_ describes the candidate
    bool up_to_date_ = false;  // a candidate of this round is what runs
    // Files that were fetched and refused since the start, so that they are not fetched for ever.
    struct RefusedFile {
        Digest identity{};
        Digest build_id{};
        bool operator==(const RefusedFile&) const = default;
    };
    std::array<RefusedFile, 4> refused_{};
    // Attempts that ended at a module board, of one package.
    struct BoardFailures {
        Digest package{};
        uint8_t count = 0;
        Millis at = 0;
    };
    BoardFailures board_failures_;
    size_t next_refused_ = 0;
    // What each source offered last and this device does not want.
    struct Unwanted {
        Validator validator;
        Status why;
    };
    std::array<Unwanted, kMaxSources> unwanted_{};
    Millis candidate_since_ = 0;
    Millis retry_after_ = 0;

    // the package in hand
    Location where_;
    SourceInfo info_;
    Payload payload_;

    // stage
    StageStep stage_step_ = StageStep::kOpenSlot;
    bool resume_ = false;
    bool continued_ = false;  // the source was opened again in the middle
    uint64_t offset_ = 0;
    Millis retry_at_ = 0;
    uint8_t retries_ = 0;
    Backoff backoff_{1000, 30000};
    Millis last_progress_ = 0;
    Millis last_data_ = 0;
    uint64_t retried_at_ = 0;  // position of the latest retry
    Millis window_start_ = 0;  // of the rate that is being measured
    uint64_t window_position_ = 0;

    // verify again
    bool rearming_ = false;
    uint64_t reverify_at_ = 0;

    // activate
    bool armed_ = false;
    bool told_restart_ = false;
    bool apply_when_ready_ = false;
    bool continues_wait_ = false;  // this round is for the package that waits
    bool waiting_ = false;         // a wait has begun …
    bool stands_in_wait_ = false;  // … and is not over
    Millis waiting_from_ = 0;
    bool paused_ = false;
    Millis paused_since_ = 0;
};

}  // namespace ota
