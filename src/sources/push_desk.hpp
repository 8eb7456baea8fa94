// What the peers of all links together may ask of the engine: one package at a time.
#pragma once

#include "ports/engine_view.hpp"
#include "sources/push_window.hpp"

namespace ota {

// Link context. Nothing here waits: what the engine has to do first is under way (kTryAgain) until
// poll() has seen its end.
class PushDesk {
  public:
    struct Engine {
        const EngineView& view;
        Mailbox& mailbox;
        Clock& clock;
    };
    PushDesk(PushWindow& window, const Engine& engine) : window_(window), engine_(engine) {}

    // How long a peer that says nothing keeps others out.
    static constexpr Millis kLease = 60000;

    enum class Order : uint8_t { kFinish, kApply, kAbort, kConfirm, kRollback, kCheck };

    struct OpenFlags {
        bool replaces = false;        // part of another package that flash holds
        bool applies_itself = false;  // once it is verified
    };
    // Binds a package. The one that is bound already is gone on with, whoever asks.
    Status open(SourceKind link, const PushOffer& offer, OpenFlags flags);
    // Begins; abort also ends what is under way. delay: of apply, at most kLongestDelay.
    static constexpr Millis kLongestDelay = Millis{7} * 24 * 3600 * 1000;
    Status order(Order order, Millis delay = 0);
    // What came of the one of both that returned kTryAgain: its ticket, and its result; kTryAgain
    // while it is under way, kBusy when another has taken its place.
    uint32_t ticket() const { return ticket_; }
    Status result(uint32_t ticket) const;

    // Timers, and what the engine has done meanwhile. Often: every 5 ms.
    void poll();

    enum class Written : uint8_t { kTaken, kDuplicate, kGap, kBeyond, kFull, kNoSession, kFailed };
    // Bytes of the package that is bound.
    Written write(uint32_t offset, Bytes bytes);
    // The byte that is wanted next.
    uint32_t next_offset();

    // Has the engine read everything that was written?
    bool is_drained() const { return window_.is_drained(); }
    bool has_package() const { return is_bound_; }
    const PushOffer& package() const { return bound_.offer; }
    SourceKind link() const { return bound_.link; }
    // Counts the packages that were bound.
    uint32_t bound_count() const { return bound_count_; }
    bool has_failed() const { return is_bound_ && end_ == End::kFailed; }
    // Until another peer may take over; 0: it may.
    Millis lease_left() const;

    // What the engine published last.
    const EngineSnapshot& look() { return seen_ = engine_.view.snapshot(); }
    const EngineSnapshot& seen() const { return seen_; }

  private:
    enum class Step : uint8_t {
        kNone,
        kWithdraw,
        kOffer,
        kFinish,
        kApplyLater,
        kApply,
        kAbort,
        kConfirm,
        kRollback
    };
    enum class End : uint8_t { kNone, kStaged, kFailed };

    Status begin_open();
    Status offer_it();
    Status begin_apply();
    Status post(CommandKind kind);
    Status under_way(Step step, Millis limit);
    Status with_ticket(Status begun);
    void finish(Status result);
    void release();
    void follow_engine();
    void follow_step();
    Status step_result() const;
    Status engine_failure() const;
    bool has_just_failed() const;
    void renew() { lease_until_ = engine_.clock.now() + kLease; }
    Status begin_order(Order order, Millis delay);

    PushWindow& window_;
    Engine engine_;
    EngineSnapshot seen_;

    bool is_bound_ = false;
    End end_ = End::kNone;
    struct Binding {
        SourceKind link = SourceKind::kModbus;
        PushOffer offer;
        OpenFlags flags;
    };
    Binding bound_;
    Binding next_;  // to be bound once the one before is given up
    uint32_t bound_count_ = 0;
    uint32_t round_ = 0;  // of the engine, with the package that is bound
    bool has_round_ = false;
    Millis lease_until_ = 0;
    Millis polled_at_ = 0;

    Step step_ = Step::kNone;
    Millis step_until_ = 0;
    uint32_t ticket_ = 0;
    Status result_;
    uint32_t error_before_ = 0;
    bool had_failed_ = false;
};

}  // namespace ota
