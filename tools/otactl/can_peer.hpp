#pragma once

#include <memory>

#include "install/uds_client.hpp"
#include "linux/can_any.hpp"
#include "linux/clock_real.hpp"
#include "push_peer.hpp"
#include "sources/can/slcan_bus.hpp"

namespace otactl {

struct CanPlace {
    std::string interface = "can0";
    uint32_t bitrate = 500000;
    uint32_t request_id = 0x1CDA10F1;
    uint32_t response_id = 0x1CDAF110;
    bool fd = false;
};

// A device by UDS on CAN (docs/can-profile.md).
class CanPeer final : public PushPeer {
  public:
    explicit CanPeer(const CanPlace& place);

    PeerIdentity identify() override;
    PeerStatus status() override;
    void unlock(const AccessKey& access) override;
    void open(const PackageName& package, const OpenOptions& options) override;
    void finish() override;
    void apply() override;
    size_t block_size() const override { return block_; }
    Written write(uint32_t offset, const uint8_t* bytes, size_t size) override;
    uint32_t pause_ms() const override { return 200; }
    void reconnect() override;
    // What the server says of it, asked so many times on a bus that loses frames. PeerLost:
    // nothing; Failure: it does not know it.
    Buffer data(uint16_t did, unsigned attempts = 1);

  private:
    // The positive answer. PeerLost when none came; refused: the code, where it is not a Failure.
    Buffer ask(const Buffer& request, ota::uds::Nrc* refused = nullptr,
               unsigned patience_ms = 120000);
    ota::Status exchange(const Buffer& request, unsigned patience_ms);
    std::string text(uint16_t did);
    void routine(uint16_t id, const char* what);
    void enter_programming();
    bool begin(uint32_t offset);
    void prove_by_key(const AccessKey& access);
    void prove_by_seed(const AccessKey& access);

    CanPlace place_;
    ota::RealClock clock_;
    ota::TtyPort line_;
    ota::SlcanBus slcan_{line_};
    ota::AnyCan bus_{slcan_, line_};
    std::array<uint8_t, 4096> buffer_{};
    std::unique_ptr<ota::UdsClient> client_;
    size_t block_ = 2048;
    size_t longest_ = 2048;
    uint8_t counter_ = 0;
    PackageName package_;
    AccessKey access_;
};

}  // namespace otactl
