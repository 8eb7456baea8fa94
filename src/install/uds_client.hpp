// One UDS server on a CAN bus as its tester sees it: a request, and what becomes of it.
#pragma once

#include "ports/can_bus.hpp"
#include "wire/isotp.hpp"
#include "wire/uds.hpp"

namespace ota {

// Link context. Nothing here waits: start(), then poll() until it is over.
class UdsClient {
  public:
    struct Config {
        IsoTpAddress address;
        MutableBytes buffer;     // for answers; a longer one is refused
        uint8_t frame_size = 8;  // with CAN FD up to 64
        uint8_t block_size = 0;  // of what the server sends
        uint8_t separation = 0;  // likewise
        Millis p2 = 150;         // the server's, with both ways on the bus
        Millis p2_extended = 5500;
    };
    UdsClient(CanBus& bus, Clock& clock, const Config& config);

    // request stays the caller's until it is over. patience: how long "response pending" is
    // listened to; a bus that is down is given up earlier.
    void start(Bytes request, Millis patience);
    // kTryAgain: under way. Ok: answer() is the positive one. kRefused: code() says why. kTimeout:
    // none came, or the server stopped listening. kUnavailable: the bus does not carry the request.
    Status poll();
    Bytes answer() const { return answer_; }
    uds::Nrc code() const { return code_; }
    bool is_busy() const { return phase_ != Phase::kIdle; }
    // Since start(): did the server say anything, were it about something else?
    bool was_heard() const { return was_heard_; }
    // Without an answer: "tester present" to one or to all.
    void give_up() { phase_ = Phase::kIdle; }
    // When poll() may have something to do.
    Micros due() const { return link_.due(); }

  private:
    enum class Phase : uint8_t { kIdle, kSending, kWaiting };

    void move_frames();
    void follow_frame();
    void follow(IsoTpLink::Event event);
    bool is_answer(Bytes message);
    bool repeats_request(Bytes message) const;
    void end(Status how);

    CanBus& bus_;
    Clock& clock_;
    Config config_;
    IsoTpLink link_;
    bool is_frame_out_ = false;
    Phase phase_ = Phase::kIdle;
    Status result_;
    Bytes request_;
    Bytes answer_;
    uds::Nrc code_ = uds::Nrc::kNone;
    Millis due_ = 0;
    Millis patience_ = 0;
    Millis last_ = 0;  // answer is waited for until then, however often it is pending
    bool was_heard_ = false;
};

}  // namespace ota
