// The way from a server, on the virtual clock: bytes arrive at a rate while the receive window has
// room, whatever the receiver is doing meanwhile. A full window stops the sender; the news that it
// has room again takes half a round trip.
#pragma once

#include "linux/clock_virtual.hpp"
#include "support/fake_http.hpp"

namespace bench {

struct Link {
    uint64_t bytes_per_second = 1000000;
    uint64_t window = 65536;         // bytes
    uint64_t round_trip_us = 20000;  // to the first byte of an answer, too
};

class LinkModel final : public test::FakeHttpClient {
  public:
    LinkModel(ota::VirtualClock& clock, const Link& link) : clock_(clock), link_(link) {
        chunk = SIZE_MAX;
    }

    ota::Status start(const ota::HttpRequest& request, ota::HttpHeadSink& head) override {
        buffered_ = 0;
        sends_from_ = clock_.micros() + link_.round_trip_us;
        return FakeHttpClient::start(request, head);
    }
    ota::Status await_head() override {
        if (clock_.micros() < sends_from_) return {ota::Code::kTryAgain, ota::Origin::kSource};
        return FakeHttpClient::await_head();
    }
    ota::Result<size_t> read(ota::MutableBytes out) override {
        arrive();
        const bool was_full = buffered_ == link_.window;
        const size_t most = std::min<size_t>(out.size(), buffered_);
        if (most == 0 && left() != 0) return size_t{0};
        const ota::Result<size_t> n = FakeHttpClient::read(out.first(most));
        if (n.ok()) buffered_ -= *n;
        if (was_full) sends_from_ = clock_.micros() + link_.round_trip_us / 2;
        return n;
    }

  private:
    uint64_t left() const { return body_left() - buffered_; }
    void arrive() {
        const uint64_t now = clock_.micros();
        if (now <= sends_from_) return;
        const uint64_t sent = (now - sends_from_) * link_.bytes_per_second / 1000000;
        const uint64_t room = std::min(link_.window - buffered_, left());
        if (sent == 0) return;
        buffered_ += std::min(sent, room);
        sends_from_ += sent * 1000000 / link_.bytes_per_second;
    }

    ota::VirtualClock& clock_;
    Link link_;
    uint64_t buffered_ = 0;    // arrived and not read yet
    uint64_t sends_from_ = 0;  // what the sender has sent up to now is accounted for
};

}  // namespace bench
