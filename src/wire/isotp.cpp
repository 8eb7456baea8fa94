#include "wire/isotp.hpp"

namespace ota {
namespace {

// ISO 15765-2 9.7, network layer timeouts.
constexpr Micros kTimeoutA = 1000000;
constexpr Micros kTimeoutBs = 1000000;
constexpr Micros kTimeoutCr = 1000000;
// How often a peer that is held is told so: N_Br + N_Ar have to stay below 0.9 * N_Bs.
constexpr Micros kWaitInterval = 500000;
constexpr uint8_t kMostWaitsTold = 10;
constexpr uint8_t kMostWaitsHeard = 20;
constexpr Micros kNever = UINT64_MAX;

}  // namespace

IsoTpAddress IsoTpAddress::normal_fixed(uint8_t own, uint8_t peer, uint8_t priority,
                                        std::optional<uint8_t> functional) {
    const auto id = [&](uint32_t format, uint8_t target, uint8_t source) {
        return static_cast<uint32_t>(priority & 7U) << 26 | format << 16 |
               static_cast<uint32_t>(target) << 8 | source;
    };
    IsoTpAddress out;
    out.is_29_bit = true;
    out.receive_id = id(0xDA, own, peer);
    out.send_id = id(0xDA, peer, own);
    if (functional) out.functional_id = id(0xDB, *functional, peer);
    return out;
}

// ---------------------------------------------------------------- what comes

IsoTpLink::Event IsoTpLink::take(const CanFrame& frame, Micros now) {
    const IsoTpAddress& own = config_.address;
    const bool is_functional = own.functional_id && frame.id == *own.functional_id;
    const bool is_ours = frame.is_29_bit == own.is_29_bit && !frame.is_remote &&
                         (frame.id == own.receive_id || is_functional);
    if (!is_ours) return Event::kNone;
    const bool is_for_us = !own.receive_extension || frame.size == 0 || is_functional ||
                           frame.data[0] == *own.receive_extension;
    const Bytes bytes = frame.bytes();
    IsoTpPdu pdu;
    if (!is_for_us || !parse_isotp(bytes, own.size(), pdu).ok()) return Event::kNone;
    if (is_functional) return take_functional(pdu);
    if (pdu.kind == IsoTpKind::kFlow) return take_flow(pdu, now);
    // Half duplex. The answer to a single frame is all that can be under way.
    if (is_sending()) return Event::kNone;
    switch (pdu.kind) {
        case IsoTpKind::kSingle:
            return take_single(pdu);
        case IsoTpKind::kFirst:
            return take_first(pdu, bytes.size(), now);
        default:
            return take_consecutive(pdu, bytes.size(), now);
    }
}

// A connection of its own: "tester present" to all must not end a transfer.
IsoTpLink::Event IsoTpLink::take_functional(const IsoTpPdu& pdu) {
    if (pdu.kind != IsoTpKind::kSingle) return Event::kNone;
    std::copy(pdu.data.begin(), pdu.data.end(), functional_data_.begin());
    functional_size_ = pdu.data.size();
    return Event::kFunctional;
}

// In the middle of another message it is a new beginning (9.8.3).
IsoTpLink::Event IsoTpLink::take_single(const IsoTpPdu& pdu) {
    if (pdu.length > config_.buffer.size()) return Event::kNone;
    result_ = is_receiving() ? IsoTpResult::kUnexpectedPdu : IsoTpResult::kOk;
    receiving_ = Receiving::kIdle;
    std::copy(pdu.data.begin(), pdu.data.end(), config_.buffer.begin());
    received_ = pdu.length;
    return Event::kReceived;
}

IsoTpLink::Event IsoTpLink::take_first(const IsoTpPdu& pdu, size_t frame_size, Micros now) {
    const bool was_receiving = is_receiving() && !refuses_;
    received_ = 0;
    refuses_ = pdu.length > config_.buffer.size();
    receiving_ = Receiving::kFlowDue;
    receive_due_ = now;
    waits_told_ = 0;
    if (!refuses_) {
        std::copy(pdu.data.begin(), pdu.data.end(), config_.buffer.begin());
        received_ = pdu.data.size();
        expected_ = pdu.length;
        expected_sequence_ = 1;
        peer_frame_size_ = frame_size;
    }
    if (!was_receiving) return Event::kNone;
    result_ = IsoTpResult::kUnexpectedPdu;
    return Event::kAborted;
}

IsoTpLink::Event IsoTpLink::take_consecutive(const IsoTpPdu& pdu, size_t frame_size, Micros now) {
    if (receiving_ != Receiving::kData || frame_size > peer_frame_size_) return Event::kNone;
    if (pdu.sequence != expected_sequence_) return abort(IsoTpResult::kWrongSequence);
    const size_t left = expected_ - received_;
    const size_t n = std::min(left, pdu.data.size());
    // Only the last one may be short.
    const bool is_full = frame_size == peer_frame_size_;
    if (n < left && !is_full) return abort(IsoTpResult::kError);
    std::copy_n(pdu.data.begin(), n, config_.buffer.begin() + static_cast<ptrdiff_t>(received_));
    received_ += n;
    expected_sequence_ = (expected_sequence_ + 1) & 0x0F;
    receive_due_ = now + kTimeoutCr;
    if (received_ == expected_) {
        receiving_ = Receiving::kIdle;
        result_ = IsoTpResult::kOk;
        return Event::kReceived;
    }
    if (config_.block_size != 0 && --left_in_block_ == 0) {
        receiving_ = Receiving::kFlowDue;
        receive_due_ = now;
        waits_told_ = 0;
    }
    return Event::kNone;
}

// Each one says anew how fast and how much. One that nobody waits for changes nothing.
IsoTpLink::Event IsoTpLink::take_flow(const IsoTpPdu& pdu, Micros now) {
    // The peer has seen the frame before the driver says that it is out.
    if (out_ == Out::kMessage && at_ < outgoing_.size() && ends_block()) (void)sent(now);
    if (sending_ != Sending::kFlowAwaited) return Event::kNone;
    switch (pdu.flow) {
        case FlowStatus::kContinue:
            sending_ = Sending::kDataDue;
            block_is_bounded_ = pdu.block_size != 0;
            block_left_ = pdu.block_size;
            gap_ = separation_of(pdu.separation);
            waits_heard_ = 0;
            send_due_ = now;
            return Event::kNone;
        case FlowStatus::kWait:
            if (++waits_heard_ > kMostWaitsHeard) return give_up(IsoTpResult::kWaitOverrun);
            send_due_ = now + kTimeoutBs;
            return Event::kNone;
        case FlowStatus::kOverflow:
            return give_up(IsoTpResult::kBufferOverflow);
        case FlowStatus::kReserved:
            return give_up(IsoTpResult::kInvalidFlow);
    }
    return Event::kNone;
}

IsoTpLink::Event IsoTpLink::abort(IsoTpResult why) {
    receiving_ = Receiving::kIdle;
    received_ = 0;
    result_ = why;
    return Event::kAborted;
}

IsoTpLink::Event IsoTpLink::give_up(IsoTpResult why) {
    sending_ = Sending::kIdle;
    result_ = why;
    return Event::kNotSent;
}

// ---------------------------------------------------------------- time

IsoTpLink::Event IsoTpLink::poll(Micros now) {
    if (out_ != Out::kNothing) {
        if (now - out_at_ < kTimeoutA) return Event::kNone;
        return failed();
    }
    if (receiving_ == Receiving::kData && now >= receive_due_)
        return abort(IsoTpResult::kTimeoutCr);
    if (sending_ == Sending::kFlowAwaited && now >= send_due_) {
        return give_up(IsoTpResult::kTimeoutBs);
    }
    const bool too_often = receiving_ == Receiving::kFlowDue && is_held_ && now >= receive_due_ &&
                           waits_told_ == kMostWaitsTold;
    return too_often ? abort(IsoTpResult::kWaitOverrun) : Event::kNone;
}

Micros IsoTpLink::due() const {
    if (out_ != Out::kNothing) return out_at_ + kTimeoutA;
    const Micros receive = is_receiving() ? receive_due_ : kNever;
    return std::min(receive, is_sending() ? send_due_ : kNever);
}

// ---------------------------------------------------------------- what goes

Status IsoTpLink::send(Bytes message, Micros now) {
    if (is_sending()) return {Code::kBusy, Origin::kSource};
    if (message.empty() || message.size() > UINT32_MAX) return {Code::kOutOfRange, Origin::kSource};
    outgoing_ = message;
    at_ = 0;
    sequence_ = 0;
    waits_heard_ = 0;
    sending_ = Sending::kFrameDue;
    send_due_ = now;
    return {};
}

bool IsoTpLink::next(CanFrame& out, Micros now) {
    if (out_ != Out::kNothing) return false;
    const bool flow = receiving_ == Receiving::kFlowDue && now >= receive_due_ &&
                      (!is_held_ || waits_told_ < kMostWaitsTold);
    const bool message =
        (sending_ == Sending::kFrameDue || sending_ == Sending::kDataDue) && now >= send_due_;
    if (!flow && !message) return false;
    out = CanFrame();
    out.id = config_.address.send_id;
    out.is_29_bit = config_.address.is_29_bit;
    out.is_fd = config_.frame_size > kClassicCanData;
    out_ = flow ? Out::kFlow : Out::kMessage;
    out_at_ = now;
    flow ? write_flow(out) : write_message(out);
    return true;
}

// Bytes of the address, which are written.
size_t IsoTpLink::begin_frame(CanFrame& out) const {
    if (!config_.address.send_extension) return 0;
    out.data[0] = *config_.address.send_extension;
    return 1;
}

// To eight bytes at least, and to the next size that a frame can have.
void IsoTpLink::pad(CanFrame& out, size_t used) const {
    const size_t size = can_size_for(std::max(used, kClassicCanData));
    std::fill(out.data.begin() + static_cast<ptrdiff_t>(used),
              out.data.begin() + static_cast<ptrdiff_t>(size), config_.padding);
    out.size = static_cast<uint8_t>(size);
}

void IsoTpLink::write_flow(CanFrame& out) {
    const size_t at = begin_frame(out);
    const FlowStatus status = refuses_   ? FlowStatus::kOverflow
                              : is_held_ ? FlowStatus::kWait
                                         : FlowStatus::kContinue;
    out.data[at] = static_cast<uint8_t>(0x30 | static_cast<uint8_t>(status));
    out.data[at + 1] = status == FlowStatus::kContinue ? config_.block_size : uint8_t{0};
    out.data[at + 2] = status == FlowStatus::kContinue ? config_.separation : uint8_t{0};
    pad(out, at + 3);
    if (status == FlowStatus::kWait) {
        ++waits_told_;
        receive_due_ = out_at_ + kWaitInterval;
    } else {
        receiving_ = refuses_ ? Receiving::kIdle : Receiving::kData;
        left_in_block_ = config_.block_size;
    }
}

void IsoTpLink::write_message(CanFrame& out) {
    const size_t address = begin_frame(out);
    const MutableBytes own = MutableBytes(out.data).first(config_.frame_size).subspan(address);
    size_t head = 1;
    if (sending_ == Sending::kDataDue) {
        own[0] = static_cast<uint8_t>(0x20 | sequence_);
    } else if (outgoing_.size() <= longest_single(config_.frame_size, address)) {
        head = write_single_head(outgoing_.size(), outgoing_.size() > 7 - address, own);
    } else {
        head = write_first_head(outgoing_.size(), own);
    }
    const size_t n = std::min(outgoing_.size() - at_, own.size() - head);
    std::copy_n(outgoing_.begin() + static_cast<ptrdiff_t>(at_), n,
                own.begin() + static_cast<ptrdiff_t>(head));
    at_ += n;
    sequence_ = (sequence_ + 1) & 0x0F;
    pad(out, address + head + n);
}

IsoTpLink::Event IsoTpLink::sent(Micros now) {
    const Out what = out_;
    out_ = Out::kNothing;
    if (what == Out::kFlow) {
        if (receiving_ == Receiving::kData) receive_due_ = now + kTimeoutCr;
        return Event::kNone;
    }
    if (what == Out::kNothing || !is_sending()) return Event::kNone;
    if (at_ == outgoing_.size()) {
        sending_ = Sending::kIdle;
        result_ = IsoTpResult::kOk;
        return Event::kSent;
    }
    const bool is_end = ends_block();
    if (block_is_bounded_ && sending_ == Sending::kDataDue) --block_left_;
    if (is_end) {
        sending_ = Sending::kFlowAwaited;
        send_due_ = now + kTimeoutBs;
    } else {
        send_due_ = now + gap_;
    }
    return Event::kNone;
}

// Does the frame that goes out now have to be answered by a flow control?
bool IsoTpLink::ends_block() const {
    return sending_ == Sending::kFrameDue || (block_is_bounded_ && block_left_ == 1);
}

// The driver could not send it: what it belonged to is over.
IsoTpLink::Event IsoTpLink::failed() {
    const Out what = out_;
    out_ = Out::kNothing;
    if (what == Out::kFlow) return abort(IsoTpResult::kTimeoutA);
    return what == Out::kMessage ? give_up(IsoTpResult::kTimeoutA) : Event::kNone;
}

}  // namespace ota
