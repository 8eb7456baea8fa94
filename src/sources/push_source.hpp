// A pushed package as the engine sees it: offered once, read in its order.
#pragma once

#include "ports/update_record.hpp"
#include "sources/push_window.hpp"

namespace ota {

class PushChannel final : public Channel {
  public:
    PushChannel(PushWindow& window, PushOffer& offer) : window_(window), offer_(offer) {}

    Result<bool> poll(Offer& offer) override {
        if (polled_) return false;
        polled_ = true;
        offer.where.uri = "pushed";
        return window_.take(offer_);
    }
    void rewind() override { polled_ = false; }
    bool arrived() override { return false; }
    void refused(Status) override {}
    void report(const Report&) override {}  // the link reads it from the engine's snapshot

  private:
    PushWindow& window_;
    PushOffer& offer_;
    bool polled_ = false;
};

class PushSource final : public Source {
  public:
    PushSource(PushWindow& window, const PushOffer& offer) : window_(window), offer_(offer) {}

    Status start(const Fetch& fetch) override;
    Result<size_t> read(MutableBytes out) override;
    Status info(SourceInfo& out) override;
    Millis retry_after() override { return 0; }
    void close() override {}

  private:
    PushWindow& window_;
    const PushOffer& offer_;
    uint64_t end_ = 0;   // of what was asked for
    bool keep_ = false;  // a look, of which some may be wanted again
};

// Both, over one window.
struct PushPair {
    PushWindow window;
    PushOffer offer;
    PushChannel channel{window, offer};
    PushSource source{window, offer};
};

}  // namespace ota
