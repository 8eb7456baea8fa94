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
    // Begins; abort also ends what is under way.
    Status order(Order order, Millis delay = 0);
    // Of the latest of both: kTryAgain while it is under way.
    Status result() const { return result_; }

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
    const PushOffer& package() const { return offer_; }
    SourceKind link() const { return link_; }
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
    void finish(Status result);
    void release();
    void follow_engine();
    void follow_step();
    Status step_result() const;
    Status engine_failure() const;
    void renew() { lease_until_ = engine_.clock.now() + kLease; }
    Status begin_order(Order order, Millis delay);

    PushWindow& window_;
    Engine engine_;
    EngineSnapshot seen_;

    bool is_bound_ = false;
    End end_ = End::kNone;
    PushOffer offer_;
    OpenFlags flags_;
    SourceKind link_ = SourceKind::kModbus;
    uint32_t bound_count_ = 0;
    Millis lease_until_ = 0;
    Millis polled_at_ = 0;

    Step step_ = Step::kNone;
    Millis step_until_ = 0;
    Status result_;
};

}  // namespace ota
