#pragma once

#include "ports/update_record.hpp"

namespace ota {

// Offers one URL in each round; whether there is something new behind it, its source finds out.
class HttpsChannel final : public Channel {
  public:
    explicit HttpsChannel(std::string_view url) : url_(url) {}

    Result<bool> poll(Offer& offer) override {
        if (offered_) return false;
        offered_ = true;
        offer.where.uri = url_;
        return true;
    }
    void rewind() override { offered_ = false; }
    bool arrived() override { return false; }
    void refused(Status) override {}
    void report(const Report&) override {}  // a file server takes none

  private:
    std::string_view url_;
    bool offered_ = false;
};

}  // namespace ota
