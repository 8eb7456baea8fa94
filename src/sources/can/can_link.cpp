#include "sources/can/can_link.hpp"

namespace ota {
namespace {

// Bits of a full classic frame with 29 bits of identifier, as long as random data makes it
// (ISO 11898-1; stuff bits included).
constexpr uint64_t kFrameBits = 135;
constexpr uint8_t kShortestGap = 0xF1;  // 100 µs
constexpr uint8_t kLongestGap = 0x7F;   // ms

}  // namespace

uint8_t separation_for(uint32_t bitrate, uint8_t load) {
    if (load >= 100 || bitrate == 0) return 0;
    const uint64_t frame = kFrameBits * 1000000 / bitrate;  // µs
    const uint64_t gap = frame * (100U - load) / std::max<uint8_t>(load, 1);
    const uint64_t hundreds = (gap + 99) / 100;
    if (hundreds == 0) return 0;
    if (hundreds <= 9) return static_cast<uint8_t>(kShortestGap + hundreds - 1);
    return static_cast<uint8_t>(std::min<uint64_t>((gap + 999) / 1000, kLongestGap));
}

CanLink::CanLink(CanBus& bus, UdsServer& server, Clock& clock, const Config& config)
    : bus_(bus),
      server_(server),
      clock_(clock),
      functional_id_(config.address.functional_id),
      link_({config.address, received_, static_cast<uint8_t>(config.is_fd ? kFdCanData : 8),
             config.block_size, config.separation, 0xCC}) {}

bool CanLink::is_busy() const {
    return is_frame_out_ || link_.is_sending() || link_.is_receiving() || server_.is_busy();
}

size_t CanLink::poll(size_t most) {
    follow_frame();  // before what answers it
    size_t taken = 0;
    CanFrame frame;
    while (taken < most) {
        const Result<bool> came = bus_.receive(frame);
        if (!came.ok() || !*came) break;
        ++taken;
        take(frame);
    }
    const Micros now = clock_.micros();
    const IsoTpLink::Event event = link_.poll(now);
    // The driver has lost it: the next may go.
    if (event != IsoTpLink::Event::kNone && link_.result() == IsoTpResult::kTimeoutA) {
        is_frame_out_ = false;
    }
    follow(event);
    if (link_.is_receiving()) server_.stay();  // a long request on a slow bus
    server_.poll();
    send();
    return taken;
}

// While a request is in hand its bytes stay where they are: the tester has to wait, all that may
// come is its sign of life.
void CanLink::take(const CanFrame& frame) {
    const bool is_functional = functional_id_ && frame.id == *functional_id_;
    if (server_.is_busy() && !is_functional && !link_.is_sending()) return;
    follow(link_.take(frame, clock_.micros()));
    send();
}

void CanLink::follow(IsoTpLink::Event event) {
    switch (event) {
        case IsoTpLink::Event::kReceived:
            return server_.take(link_.message(), false);
        case IsoTpLink::Event::kFunctional: {
            if (server_.is_busy()) return server_.take({}, true);
            const Bytes message = link_.functional_message();
            std::copy(message.begin(), message.end(), functional_.begin());
            return server_.take(Bytes(functional_).first(message.size()), true);
        }
        case IsoTpLink::Event::kSent:
        case IsoTpLink::Event::kNotSent:
            return server_.answered();
        case IsoTpLink::Event::kNone:
        case IsoTpLink::Event::kAborted:
            return;
    }
}

// What became of the frame that the driver has.
void CanLink::follow_frame() {
    if (!is_frame_out_) return;
    const CanBus::Sending sending = bus_.sending();
    if (sending == CanBus::Sending::kUnderWay) return;
    is_frame_out_ = false;
    follow(sending == CanBus::Sending::kSent ? link_.sent(clock_.micros()) : link_.failed());
}

// One frame at a time is with the driver: whatever protects the battery never waits behind more.
void CanLink::send() {
    follow_frame();
    if (is_frame_out_) return;
    const Micros now = clock_.micros();
    if (!link_.is_sending()) {
        const Bytes answer = server_.next_answer();
        std::copy(answer.begin(), answer.end(), answer_.begin());
        if (!answer.empty()) (void)link_.send(Bytes(answer_).first(answer.size()), now);
    }
    CanFrame frame;
    if (!link_.next(frame, now)) return;
    is_frame_out_ = bus_.send(frame).ok();
    if (!is_frame_out_) return follow(link_.failed());
    follow_frame();  // a driver that tells no more than that it took it
}

}  // namespace ota
