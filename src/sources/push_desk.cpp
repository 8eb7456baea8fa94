#include "sources/push_desk.hpp"

namespace ota {
namespace {

constexpr Millis kAnswerLimit = 10000;  // of the engine, for what takes it one step
constexpr Millis kNever = UINT64_MAX;

constexpr Status refused(Detail why) {
    return {Code::kRefused, Origin::kSource, why};
}
constexpr Status busy(Detail why) {
    return {Code::kBusy, Origin::kSource, why};
}
constexpr Status kUnderWay{Code::kTryAgain, Origin::kSource};
constexpr Status kTooSlow{Code::kTimeout, Origin::kEngine};

}  // namespace

// ---------------------------------------------------------------- open

Status PushDesk::open(SourceKind link, const PushOffer& offer, OpenFlags flags) {
    look();
    if (step_ == Step::kApplyLater && lease_left() == 0) step_ = Step::kNone;
    if (step_ != Step::kNone) return busy(Detail::kNotNow);
    // Without a digest nobody knows whether it is the same.
    const bool same =
        is_bound_ && end_ != End::kFailed && offer == bound_.offer && offer.digest != Digest{};
    if (!same && lease_left() != 0 &&
        !(is_bound_ && link == bound_.link && offer.digest == Digest{})) {
        return busy(Detail::kLinkBusy);
    }
    const bool is_other_held = seen_.held != Digest{} && seen_.held != offer.digest;
    if (!same && is_other_held && !flags.replaces) return refused(Detail::kOtherPackage);
    if (same) {
        bound_ = {link, offer, flags};
        ++bound_count_;
        renew();
        return {};
    }
    next_ = {link, offer, flags};
    return with_ticket(begin_open());
}

// What a peer left behind is given up first.
Status PushDesk::begin_open() {
    const bool is_at_it =
        is_bound_ && (end_ == End::kNone || (end_ == End::kStaged && is_staged(seen_.state)));
    if (is_at_it && !rests(seen_.state)) {
        OTA_TRY(post(CommandKind::kAbort));
        return under_way(Step::kWithdraw, kAnswerLimit);
    }
    return offer_it();
}

Status PushDesk::offer_it() {
    release();
    if (!engine_.view.would_accept(CommandKind::kPush)) {
        return busy(seen_.trial ? Detail::kTrialRunning : Detail::kNotNow);
    }
    bound_ = next_;
    ++bound_count_;
    if (!window_.open(bound_.offer)) return busy(Detail::kNotNow);
    const Status posted = post(CommandKind::kPush);
    if (!posted.ok()) {
        (void)window_.withdraw();
        return posted;
    }
    is_bound_ = true;
    renew();
    return under_way(Step::kOffer, kAnswerLimit);
}

// Of a package that the engine does not read any more.
void PushDesk::release() {
    if (!window_.withdraw()) window_.close();
    is_bound_ = has_round_ = false;
    end_ = End::kNone;
}

// ---------------------------------------------------------------- orders

Status PushDesk::order(Order order, Millis delay) {
    look();
    if (step_ != Step::kNone && order != Order::kAbort) return busy(Detail::kNotNow);
    if (delay > kLongestDelay) return {Code::kOutOfRange, Origin::kSource};
    error_before_ = seen_.error;
    had_failed_ = seen_.state == State::kFailed;
    const Status begun = begin_order(order, delay);
    if (begun.ok() || begun.is(Code::kTryAgain)) renew();
    return with_ticket(begun);
}

// What is under way keeps its ticket over all its steps.
Status PushDesk::with_ticket(Status begun) {
    if (begun.is(Code::kTryAgain)) ++ticket_;
    return begun;
}

Status PushDesk::result(uint32_t ticket) const {
    return ticket == ticket_ ? result_ : busy(Detail::kNotNow);
}

Status PushDesk::begin_order(Order order, Millis delay) {
    const auto begin = [&](CommandKind kind, Step step) {
        if (!engine_.view.would_accept(kind)) {
            return refused(seen_.trial ? Detail::kTrialRunning : Detail::kNotNow);
        }
        OTA_TRY(post(kind));
        return step == Step::kNone ? kOkStatus : under_way(step, kAnswerLimit);
    };
    switch (order) {
        case Order::kFinish:
            if (!is_bound_) return refused(Detail::kNoSession);
            if (end_ == End::kStaged) return {};
            if (end_ == End::kFailed) return engine_failure();
            if (next_offset() != bound_.offer.size) return refused(Detail::kNotWhole);
            return under_way(Step::kFinish, kNever);
        case Order::kApply:
            if (!engine_.view.would_accept(CommandKind::kApply)) return refused(Detail::kNotNow);
            if (delay == 0) return begin_apply();
            return under_way(Step::kApplyLater, delay);
        case Order::kAbort:
            step_ = Step::kNone;
            if (is_bound_ && window_.withdraw()) {
                release();
                return {};
            }
            if (!engine_.view.would_accept(CommandKind::kAbort)) {
                const bool nothing = rests(seen_.state);
                if (nothing && is_bound_) release();
                return nothing ? kOkStatus : refused(Detail::kNotNow);
            }
            return begin(CommandKind::kAbort, Step::kAbort);
        case Order::kConfirm:
            return begin(CommandKind::kConfirm, Step::kConfirm);
        case Order::kRollback:
            return begin(CommandKind::kRollback, Step::kRollback);
        case Order::kCheck:
            return begin(CommandKind::kCheck, Step::kNone);
    }
    return {Code::kInternal, Origin::kSource};
}

// The battery may keep it waiting for days.
Status PushDesk::begin_apply() {
    OTA_TRY(post(CommandKind::kApply));
    return under_way(Step::kApply, kNever);
}

Status PushDesk::post(CommandKind kind) {
    Command command;
    command.kind = kind;
    command.source = bound_.link;
    return engine_.mailbox.post(command).ok() ? kOkStatus : busy(Detail::kNotNow);
}

Status PushDesk::under_way(Step step, Millis limit) {
    step_ = step;
    step_until_ = limit == kNever ? kNever : engine_.clock.now() + limit;
    return result_ = kUnderWay;
}

void PushDesk::finish(Status result) {
    step_ = Step::kNone;
    result_ = result;
}

// ---------------------------------------------------------------- poll

void PushDesk::poll() {
    follow_engine();
    const Millis now = engine_.clock.now();
    // The battery's time is not the peer's.
    if (seen_.paused && lease_until_ > polled_at_) lease_until_ += now - polled_at_;
    polled_at_ = now;
    if (step_ != Step::kNone) follow_step();
    const bool ready = end_ == End::kStaged && seen_.state == State::kReadyToApply;
    if (bound_.flags.applies_itself && ready && post(CommandKind::kApply).ok()) {
        bound_.flags.applies_itself = false;
    }
}

// Has the engine come to an end with the package? It has begun once it has taken the offer.
void PushDesk::follow_engine() {
    const bool is_taken = window_.is_taken();
    look();  // after that, so that it is no state from before
    // A package without an application ends in IDLE, and is good.
    const bool is_done = seen_.state == State::kIdle && seen_.error == 0;
    // What was staged may be given up by somebody else, or at the gate of the restart.
    if (end_ == End::kStaged && !is_staged(seen_.state) && !is_done) end_ = End::kFailed;
    if (!is_bound_ || end_ != End::kNone || !is_taken) return;
    if (!has_round_) round_ = seen_.rounds;
    has_round_ = true;
    if (seen_.rounds != round_) {
        end_ = End::kFailed;  // the engine is at something else already
    } else if (is_staged(seen_.state)) {
        end_ = End::kStaged;
    } else if (rests(seen_.state)) {
        end_ = is_done ? End::kStaged : End::kFailed;
    } else {
        return;
    }
    window_.close();
}

void PushDesk::follow_step() {
    if (step_ == Step::kWithdraw && rests(seen_.state)) {
        const Status offered = offer_it();
        return offered.is(Code::kTryAgain) ? void() : finish(offered);
    }
    if (step_ == Step::kAbort && rests(seen_.state)) {
        if (is_bound_) release();
        return finish({});
    }
    if (step_ == Step::kApplyLater && seen_.state != State::kReadyToApply) {
        return finish(refused(Detail::kNotNow));
    }
    const Status now = step_result();
    if (!now.is(Code::kTryAgain)) return finish(now);
    if (engine_.clock.now() < step_until_) return;
    switch (step_) {
        case Step::kApplyLater: {
            const Status begun = begin_apply();
            if (!begun.is(Code::kTryAgain)) finish(begun);
            return;
        }
        case Step::kOffer:
            if (!window_.withdraw()) return finish({});
            release();
            return finish(kTooSlow);
        default:
            return finish(kTooSlow);
    }
}

Status PushDesk::step_result() const {
    const State state = seen_.state;
    switch (step_) {
        case Step::kOffer:
            return window_.is_taken() || end_ != End::kNone ? kOkStatus : kUnderWay;
        case Step::kFinish:
            if (end_ == End::kNone) return kUnderWay;
            return end_ == End::kStaged ? kOkStatus : engine_failure();
        case Step::kApply:
            if (state == State::kReadyToApply || state == State::kApplying) return kUnderWay;
            return state == State::kFailed || state == State::kAborted ? engine_failure()
                                                                       : kOkStatus;
        case Step::kConfirm:
            if (has_just_failed()) return engine_failure();
            return seen_.trial ? kUnderWay : kOkStatus;
        case Step::kRollback:
            if (state == State::kRebooting) return kOkStatus;
            return has_just_failed() ? engine_failure() : kUnderWay;
        default:
            return kUnderWay;
    }
}

// Not before the order.
bool PushDesk::has_just_failed() const {
    return seen_.state == State::kFailed && (!had_failed_ || seen_.error != error_before_);
}

Status PushDesk::engine_failure() const {
    const Status why = Status::from_word(seen_.error);
    return why.ok() ? refused(Detail::kNotNow) : why;
}

// ---------------------------------------------------------------- bytes

PushDesk::Written PushDesk::write(uint32_t offset, Bytes bytes) {
    if (!is_bound_) return Written::kNoSession;
    if (step_ == Step::kWithdraw) return Written::kFull;  // the window is another package's
    if (end_ == End::kFailed) return Written::kFailed;
    if (end_ == End::kStaged) {
        const bool inside =
            offset <= bound_.offer.size && bytes.size() <= bound_.offer.size - offset;
        return inside ? Written::kDuplicate : Written::kBeyond;
    }
    switch (window_.write(offset, bytes)) {
        case PushWindow::Taken::kWhole:
            renew();
            return Written::kTaken;
        case PushWindow::Taken::kDuplicate:
            return Written::kDuplicate;
        case PushWindow::Taken::kGap:
            return Written::kGap;
        case PushWindow::Taken::kBeyond:
            return Written::kBeyond;
        case PushWindow::Taken::kFull:
        case PushWindow::Taken::kClosed:
            return Written::kFull;
    }
    return Written::kFull;
}

uint32_t PushDesk::next_offset() {
    if (!is_bound_) return 0;
    return end_ == End::kStaged ? bound_.offer.size : window_.next_offset();
}

Millis PushDesk::lease_left() const {
    const bool is_over = end_ == End::kFailed || (end_ == End::kStaged && rests(seen_.state));
    if (!is_bound_ || is_over) return 0;
    const Millis now = engine_.clock.now();
    return lease_until_ > now ? lease_until_ - now : 0;
}

}  // namespace ota
