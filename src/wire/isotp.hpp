// ISO-TP (ISO 15765-2:2016): messages of more bytes than a CAN frame has. State and timers alone:
// who owns the bus hands in frames and the time, and takes frames out.
#pragma once

#include <optional>

#include "ports/can_frame.hpp"
#include "ports/clock.hpp"
#include "wire/isotp_pdu.hpp"

namespace ota {

// ISO 15765-2 8.3.7, N_Result.
enum class IsoTpResult : uint8_t {
    kOk,
    kTimeoutA,        // the driver did not get a frame on to the bus
    kTimeoutBs,       // no flow control came
    kTimeoutCr,       // no consecutive frame came
    kWrongSequence,   // a frame was lost, or came twice
    kInvalidFlow,     // a flow status that is reserved
    kUnexpectedPdu,   // a new message began before the end of this one
    kWaitOverrun,     // the peer let us wait too often, or we the peer
    kBufferOverflow,  // the message is longer than the peer takes
    kError,           // too little data in a frame
};

// The identifiers of one pair of peers (ISO 15765-2 10.3). With an extension the first byte of data
// belongs to the address: extended and mixed addressing.
struct IsoTpAddress {
    uint32_t receive_id = 0;
    uint32_t send_id = 0;
    bool is_29_bit = false;
    std::optional<uint8_t> receive_extension;
    std::optional<uint8_t> send_extension;
    std::optional<uint32_t> functional_id;  // to all: single frames, received alone

    // Normal fixed addressing, 29 bits (10.3.3). priority: 0 (highest) to 7.
    static IsoTpAddress normal_fixed(uint8_t own, uint8_t peer, uint8_t priority,
                                     std::optional<uint8_t> functional = {});
    size_t size() const { return receive_extension ? 1 : 0; }
};

struct IsoTpConfig {
    IsoTpAddress address;
    MutableBytes buffer;     // for what is received; a longer message is refused
    uint8_t frame_size = 8;  // of what is sent: 8, with CAN FD up to 64
    uint8_t block_size = 0;  // asked of the peer: frames to a flow control, 0 = all
    uint8_t separation = 0;  // STmin asked of the peer
    uint8_t padding = 0xCC;  // fewest stuff bits (10.4.2.1)
};

// One connection, half duplex: while a long message is being sent, what else comes is ignored.
class IsoTpLink {
  public:
    explicit IsoTpLink(const IsoTpConfig& config) : config_(config) {}

    enum class Event : uint8_t {
        kNone,
        kReceived,    // message() is whole; it stays until the next frame is taken
        kFunctional,  // functional_message() is, which went to all; nothing else is disturbed
        kAborted,     // the message that was being received is lost; result() says why
        kSent,        // the message given to send() is out
        kNotSent,     // it is not; result() says why
    };

    // A frame of the bus; those of others are ignored.
    Event take(const CanFrame& frame, Micros now);
    // Timers.
    Event poll(Micros now);
    // The frame that has to go on to the bus now, if any. Only one is out at a time: sent() or
    // failed() has to come before the next.
    bool next(CanFrame& out, Micros now);
    Event sent(Micros now);
    Event failed();

    // message stays the caller's until kSent or kNotSent. kBusy while another is under way.
    Status send(Bytes message, Micros now);

    // While held, the peer is told to wait before it sends more, ten times at most: flash is being
    // erased.
    void hold(bool on) { is_held_ = on; }
    // STmin, from the next flow control on.
    void ask_separation(uint8_t separation) { config_.separation = separation; }

    Bytes message() const { return Bytes(config_.buffer).first(received_); }
    Bytes functional_message() const { return Bytes(functional_data_).first(functional_size_); }
    IsoTpResult result() const { return result_; }
    bool is_sending() const { return sending_ != Sending::kIdle; }
    bool is_receiving() const { return receiving_ != Receiving::kIdle; }
    // When poll() or next() may have something to do; UINT64_MAX: when a frame comes.
    Micros due() const;

  private:
    enum class Receiving : uint8_t { kIdle, kFlowDue, kData };
    enum class Sending : uint8_t { kIdle, kFrameDue, kFlowAwaited, kDataDue };
    enum class Out : uint8_t { kNothing, kFlow, kMessage };

    Event take_functional(const IsoTpPdu& pdu);
    Event take_single(const IsoTpPdu& pdu);
    Event take_first(const IsoTpPdu& pdu, size_t frame_size, Micros now);
    Event take_consecutive(const IsoTpPdu& pdu, size_t frame_size, Micros now);
    Event take_flow(const IsoTpPdu& pdu, Micros now);
    Event abort(IsoTpResult why);
    Event give_up(IsoTpResult why);
    void write_flow(CanFrame& out);
    void write_message(CanFrame& out);
    size_t begin_frame(CanFrame& out) const;
    void pad(CanFrame& out, size_t used) const;
    bool ends_block() const;

    IsoTpConfig config_;
    IsoTpResult result_ = IsoTpResult::kOk;
    Out out_ = Out::kNothing;  // given to the driver, and when
    Micros out_at_ = 0;

    std::array<uint8_t, kFdCanData> functional_data_{};
    size_t functional_size_ = 0;

    Receiving receiving_ = Receiving::kIdle;
    size_t received_ = 0;
    size_t expected_ = 0;
    size_t peer_frame_size_ = 0;
    uint8_t expected_sequence_ = 0;
    uint8_t left_in_block_ = 0;
    bool refuses_ = false;  // the flow control that is due says overflow
    bool is_held_ = false;
    uint8_t waits_told_ = 0;
    Micros receive_due_ = 0;

    Sending sending_ = Sending::kIdle;
    Bytes outgoing_;
    size_t at_ = 0;
    uint8_t sequence_ = 0;
    uint8_t block_left_ = 0;
    bool block_is_bounded_ = false;
    uint8_t waits_heard_ = 0;
    uint32_t gap_ = 0;
    Micros send_due_ = 0;
};

}  // namespace ota
