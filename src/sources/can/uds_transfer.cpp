// Packages: announced by 2E F1A1, opened by 34 or 38, sent by 36, ended by 37; and what is done
// with them by 31 and 11.
#include "sources/can/uds_server.hpp"

namespace ota {

using uds::Nrc;

namespace {

// The answer comes before the restart that it is about.
constexpr Millis kRestartDelay = 100;
constexpr uint8_t kGood = 0;
constexpr uint8_t kBad = 1;

// The engine has accepted what it has seen of the package.
constexpr bool has_begun(State state) {
    return state == State::kDownloading || state == State::kVerifying || is_staged(state);
}

}  // namespace

// ---------------------------------------------------------------- open

// SHA-256 and size of the package that 34 is about to bring.
Nrc UdsServer::announce(Bytes data) {
    if (data.size() != kSha256Size + 4) return Nrc::kLength;
    std::copy_n(data.begin(), kSha256Size, announced_.digest.begin());
    announced_.size = load_be32(&data[kSha256Size]);
    answer_.u16(uds::kDidPackage);
    return Nrc::kNone;
}

// address 0: a package of size bytes; else its rest from there on.
Nrc UdsServer::download(Bytes request) {
    uds::DownloadRequest asked;
    if (const Nrc code = uds::parse_download(request, asked); code != Nrc::kNone) return code;
    if (asked.format != 0) return Nrc::kNotAccepted;
    is_file_ = false;
    return open(asked.address, asked.size);
}

Nrc UdsServer::request_file(Bytes request) {
    uds::FileRequest asked;
    if (const Nrc code = uds::parse_file_request(request, asked); code != Nrc::kNone) return code;
    if (asked.path != "/fw/package.suit" && asked.path != "/fw/package.bin") return Nrc::kRange;
    if (asked.format != 0) return Nrc::kNotAccepted;
    constexpr uint8_t kResume = 6;
    is_file_ = true;
    if (asked.mode != kResume) return open(0, asked.size);
    if (!owns_package()) return Nrc::kConditions;
    const uint32_t next = desk_.next_offset();
    return open(next, desk_.package().size - next);
}

bool UdsServer::owns_package() const {
    return desk_.has_package() && desk_.link() == SourceKind::kCanbus && !desk_.has_failed();
}

Nrc UdsServer::open(uint32_t address, uint32_t size) {
    opened_at_ = address;
    if (address != 0 && owns_package()) {
        const bool fits =
            address <= desk_.next_offset() && uint64_t{address} + size == desk_.package().size;
        return fits ? begin_transfer() : Nrc::kRange;
    }
    if (size == 0 || address != 0) return Nrc::kRange;
    PushOffer offer;
    offer.size = size;
    if (announced_.size == size) offer.digest = announced_.digest;
    const Status begun = desk_.open(SourceKind::kCanbus, offer, {.replaces = true});
    ticket_ = desk_.ticket();
    if (begun.is(Code::kTryAgain)) return under_way(Pending::kOpen);
    return begun.ok() ? begin_transfer() : refusal(begun);
}

Nrc UdsServer::finish_open() {
    const Status opened = desk_.result(ticket_);
    if (opened.is(Code::kTryAgain)) return Nrc::kPending;
    return opened.ok() ? begin_transfer() : refusal(opened);
}

Nrc UdsServer::refusal(Status why) const {
    switch (why.detail()) {
        case Detail::kLinkBusy:
        case Detail::kNotNow:
            return Nrc::kBusy;
        default:
            return why.is(Code::kUnsafe) ? interlock_code() : Nrc::kConditions;
    }
}

Nrc UdsServer::begin_transfer() {
    is_transferring_ = true;
    transfer_of_ = desk_.bound_count();
    any_block_ = false;
    counter_ = 0;
    offset_ = opened_at_;
    if (!is_file_) {
        answer_.u8(0x20);  // two bytes of length
        answer_.u16(uds::kBlockLength);
        return Nrc::kNone;
    }
    const uint8_t mode = request_[1];
    constexpr uint8_t kResume = 6;
    answer_.u8(mode);
    answer_.u8(2);
    answer_.u16(uds::kBlockLength);
    answer_.u8(0);
    if (mode == kResume) {
        answer_.u32(0);
        answer_.u32(offset_);
    }
    return Nrc::kNone;
}

// ---------------------------------------------------------------- blocks

// Another link may have bound a package meanwhile.
bool UdsServer::is_own_transfer() const {
    return is_transferring_ && desk_.has_package() && desk_.link() == SourceKind::kCanbus &&
           desk_.bound_count() == transfer_of_;
}

Nrc UdsServer::transfer(Bytes request) {
    if (!is_own_transfer()) return end_transfer(Nrc::kSequence);
    if (request.size() <= uds::kBlockHead || request.size() > uds::kBlockLength) {
        return Nrc::kLength;
    }
    const uint8_t counter = request[1];
    if (any_block_ && counter == counter_) {  // its answer was lost
        answer_.u8(counter);
        return Nrc::kNone;
    }
    if (counter != static_cast<uint8_t>(counter_ + 1)) return Nrc::kBlockCounter;
    is_written_ = false;
    return under_way(Pending::kTransfer);
}

// Its bytes, then the engine's word on what it has seen so far: a package that is refused by its
// start is refused with the block that completed the start.
Nrc UdsServer::write_block() {
    const Bytes data = request_.subspan(uds::kBlockHead);
    if (!is_own_transfer()) return end_transfer(Nrc::kSequence);
    if (!is_written_) {
        const Nrc code = block_code(desk_.write(offset_, data));
        if (code == Nrc::kPending) return code;
        if (code != Nrc::kNone) return end_transfer(code);
        is_written_ = true;
    }
    if (desk_.has_failed()) return end_transfer(failure_code());
    if (!has_begun(desk_.seen().state) && !desk_.is_drained()) return Nrc::kPending;
    counter_ = request_[1];
    any_block_ = true;
    offset_ += static_cast<uint32_t>(data.size());
    answer_.u8(counter_);
    return Nrc::kNone;
}

Nrc UdsServer::block_code(PushDesk::Written written) const {
    switch (written) {
        case PushDesk::Written::kTaken:
        case PushDesk::Written::kDuplicate:
            return Nrc::kNone;
        case PushDesk::Written::kFull:
            return Nrc::kPending;
        case PushDesk::Written::kBeyond:
            return Nrc::kSuspended;
        case PushDesk::Written::kFailed:
            return failure_code();
        case PushDesk::Written::kGap:
        case PushDesk::Written::kNoSession:
            return Nrc::kSequence;
    }
    return Nrc::kGeneral;
}

// Parked: F1A1 says where it goes on.
Nrc UdsServer::end_transfer(Nrc code) {
    is_transferring_ = false;
    return code;
}

Nrc UdsServer::failure_code() const {
    const Status why = Status::from_word(desk_.seen().error);
    return why.is(Code::kUnsafe) ? interlock_code() : Nrc::kProgramming;
}

// Which reading, as far as the standard has a word for it.
Nrc UdsServer::interlock_code() const {
    const uint16_t interlock = desk_.seen().interlock;
    if ((interlock & kInterlockHot) != 0) return Nrc::kTooHot;
    if ((interlock & kInterlockCold) != 0) return Nrc::kTooCold;
    return (interlock & kInterlockSoc) != 0 ? Nrc::kVoltageLow : Nrc::kConditions;
}

// May carry the package's SHA-256 once more.
Nrc UdsServer::transfer_exit(Bytes request) {
    const Bytes digest = request.subspan(1);
    if (!digest.empty() && digest.size() != kSha256Size) return Nrc::kLength;
    if (!is_own_transfer() || desk_.next_offset() != desk_.package().size) return Nrc::kSequence;
    const Digest& own = desk_.package().digest;
    if (!digest.empty() && own == Digest{})
        return Nrc::kRange;  // none was announced to compare it with
    const bool differs = !digest.empty() && !std::equal(digest.begin(), digest.end(), own.begin());
    is_transferring_ = false;
    return differs ? Nrc::kProgramming : Nrc::kNone;
}

// ---------------------------------------------------------------- what is done with it

Nrc UdsServer::reset(Bytes request) {
    if ((request[1] & 0x7F) != 1) return Nrc::kSubFunction;
    if (request.size() != 2) return Nrc::kLength;
    answer_.u8(1);
    return apply();
}

// Answered before it is done.
Nrc UdsServer::apply() {
    if (is_transferring_ || desk_.seen().state != State::kReadyToApply) return Nrc::kConditions;
    if (desk_.seen().interlock != 0) return interlock_code();
    const Status begun = desk_.order(PushDesk::Order::kApply, kRestartDelay);
    return begun.is(Code::kTryAgain) ? Nrc::kNone : refusal(begun);
}

Nrc UdsServer::routine(Bytes request) {
    constexpr uint8_t kStart = 1;
    constexpr uint8_t kResults = 3;
    const uint8_t control = request[1] & 0x7F;
    const uint16_t id = load_be16(&request[2]);
    if (control != kStart && control != kResults) return Nrc::kSubFunction;
    const bool is_open_to_all = id == uds::kRoutinePreconditions || id == uds::kRoutineQuery;
    if (!is_open_to_all && session_ != uds::Session::kProgramming) {
        return Nrc::kSubFunctionInSession;
    }
    if (!is_open_to_all && !door_.is_open()) return Nrc::kLocked;
    if ((control == kResults) != (id == uds::kRoutineQuery)) return Nrc::kSubFunction;
    answer_.u8(control);
    answer_.u16(id);
    switch (id) {
        case uds::kRoutineQuery:
            put_state();
            return Nrc::kNone;
        case uds::kRoutinePreconditions:
            answer_.u8(desk_.seen().interlock == 0 ? kGood : kBad);
            answer_.u16(desk_.seen().interlock);
            return Nrc::kNone;
        case uds::kRoutineErase:  // as the package comes
            answer_.u8(kGood);
            return Nrc::kNone;
        case uds::kRoutineVerify:
        case uds::kRoutineDependencies:
            return order(PushDesk::Order::kFinish, Pending::kVerify);
        case uds::kRoutineApply:
            answer_.u8(kGood);
            return apply();
        case uds::kRoutineConfirm:
            return order(PushDesk::Order::kConfirm, Pending::kOrder);
        case uds::kRoutineRollback:
            return order(PushDesk::Order::kRollback, Pending::kOrder);
        default:
            return Nrc::kRange;
    }
}

Nrc UdsServer::order(PushDesk::Order what, Pending as) {
    const Status begun = desk_.order(what);
    ticket_ = desk_.ticket();
    if (begun.is(Code::kTryAgain)) return under_way(as);
    return as == Pending::kVerify ? conclude_verify(begun) : conclude_order(begun);
}

Nrc UdsServer::finish_order() {
    return conclude_order(desk_.result(ticket_));
}

Nrc UdsServer::conclude_order(Status result) {
    if (result.is(Code::kTryAgain)) return Nrc::kPending;
    if (!result.ok()) return refusal(result);
    answer_.u8(kGood);
    return Nrc::kNone;
}

Nrc UdsServer::finish_verify() {
    return conclude_verify(desk_.result(ticket_));
}

// A package that does not hold is a result, and no failure of the routine.
Nrc UdsServer::conclude_verify(Status result) {
    if (result.is(Code::kTryAgain)) return Nrc::kPending;
    if (result.is(Code::kBusy)) return Nrc::kBusy;
    const bool too_early =
        result.detail() == Detail::kNoSession || result.detail() == Detail::kNotWhole;
    if (too_early) return Nrc::kSequence;
    answer_.u8(result.ok() ? kGood : kBad);
    if (!result.ok()) answer_.u16(static_cast<uint16_t>(result.detail()));
    return Nrc::kNone;
}

}  // namespace ota
