#include "install/uds_client.hpp"

namespace ota {
namespace {

constexpr size_t kBurst = 64;  // frames in one poll

constexpr Status failed(Code code) {
    return {code, Origin::kModules, code == Code::kTimeout ? Detail::kBoardSilent : Detail::kNone};
}

}  // namespace

UdsClient::UdsClient(CanBus& bus, Clock& clock, const Config& config)
    : bus_(bus),
      clock_(clock),
      config_(config),
      link_({config.address, config.buffer, config.frame_size, config.block_size, config.separation,
             0xCC}) {}

void UdsClient::start(Bytes request, Millis patience) {
    request_ = request;
    answer_ = {};
    code_ = uds::Nrc::kNone;
    result_ = {};
    phase_ = Phase::kSending;
    patience_ = patience;
    was_heard_ = false;
    if (!link_.send(request, clock_.micros()).ok()) end(failed(Code::kUnavailable));
}

Status UdsClient::poll() {
    move_frames();
    // The timer ends with the answer's first frame (ISO 14229-2, P2).
    const bool is_coming = link_.is_receiving();
    if (phase_ == Phase::kWaiting && !is_coming && clock_.now() >= due_) {
        end(failed(Code::kTimeout));
    }
    if (phase_ != Phase::kIdle) return {Code::kTryAgain, Origin::kModules};
    return result_;
}

void UdsClient::move_frames() {
    follow_frame();  // before what answers it
    CanFrame frame;
    for (size_t i = 0; i < kBurst; ++i) {
        const Result<bool> came = bus_.receive(frame);
        if (!came.ok() || !*came) break;
        follow_frame();
        follow(link_.take(frame, clock_.micros()));
    }
    const Micros now = clock_.micros();
    const IsoTpLink::Event event = link_.poll(now);
    // The driver has lost it: the next may go.
    if (event != IsoTpLink::Event::kNone && link_.result() == IsoTpResult::kTimeoutA) {
        is_frame_out_ = false;
    }
    follow(event);
    follow_frame();
    if (is_frame_out_ || !link_.next(frame, clock_.micros())) return;
    is_frame_out_ = bus_.send(frame).ok();
    if (!is_frame_out_) return follow(link_.failed());
    follow_frame();  // a driver that tells no more than that it took it
}

// What became of the frame that the driver has.
void UdsClient::follow_frame() {
    if (!is_frame_out_) return;
    const CanBus::Sending sending = bus_.sending();
    if (sending == CanBus::Sending::kUnderWay) return;
    is_frame_out_ = false;
    follow(sending == CanBus::Sending::kSent ? link_.sent(clock_.micros()) : link_.failed());
}

void UdsClient::follow(IsoTpLink::Event event) {
    switch (event) {
        case IsoTpLink::Event::kSent:
            if (phase_ != Phase::kSending) return;
            phase_ = Phase::kWaiting;
            due_ = clock_.now() + config_.p2;
            last_ = clock_.now() + patience_;
            return;
        case IsoTpLink::Event::kNotSent:
            if (phase_ != Phase::kSending) return;
            // Only a frame that did not get on the bus says something about the bus.
            end(failed(link_.result() == IsoTpResult::kTimeoutA ? Code::kUnavailable
                                                                : Code::kTimeout));
            return;
        case IsoTpLink::Event::kReceived:
            // The server may be quicker than the word that the request is out.
            was_heard_ = true;
            if (phase_ != Phase::kIdle && is_answer(link_.message())) end(result_);
            return;
        case IsoTpLink::Event::kAborted:
        case IsoTpLink::Event::kFunctional:
        case IsoTpLink::Event::kNone:
            return;
    }
}

// Of this request; what answers another one is too late, and nobody's.
bool UdsClient::is_answer(Bytes message) {
    if (message.empty()) return false;
    if (message[0] == request_[0] + uds::kPositive && repeats_request(message)) {
        answer_ = message;
        result_ = {};
        return true;
    }
    if (message.size() < 3 || message[0] != uds::kNegative || message[1] != request_[0]) {
        return false;
    }
    code_ = static_cast<uds::Nrc>(message[2]);
    if (code_ != uds::Nrc::kPending) {
        result_ = failed(Code::kRefused);
        return true;
    }
    phase_ = Phase::kWaiting;
    due_ = std::min(clock_.now() + config_.p2_extended, last_);
    return false;
}

// What of the request comes back in a positive answer (ISO 14229-1): the sub-function, the data's
// or the routine's identifier, the block's counter.
bool UdsClient::repeats_request(Bytes message) const {
    const auto service = static_cast<uds::Service>(request_[0]);
    size_t echo = 1;
    if (service == uds::Service::kReadData || service == uds::Service::kWriteData) echo = 2;
    if (service == uds::Service::kRoutine) echo = 3;
    if (service == uds::Service::kDownload || service == uds::Service::kTransferExit) echo = 0;
    if (message.size() <= echo || request_.size() <= echo) return false;
    const bool has_identifier = echo == 2 || service == uds::Service::kTransfer;
    const auto mask = static_cast<uint8_t>(has_identifier ? 0xFF : ~uds::kSuppress);
    return echo == 0 || (message[1] == (request_[1] & mask) &&
                         std::equal(&message[2], &message[1] + echo, &request_[2]));
}

void UdsClient::end(Status how) {
    phase_ = Phase::kIdle;
    result_ = how;
}

}  // namespace ota
