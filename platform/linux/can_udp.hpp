// python-can's udp_multicast interface: each frame a datagram that everybody hears. For tests and
// benches without a CAN interface; it loses frames, and has no priorities.
#pragma once

#include "ports/can_bus.hpp"

namespace ota {

// interface: the group, an IPv4 address in numbers. Frames stay on this host.
class UdpCan final : public CanBus {
  public:
    UdpCan() = default;
    ~UdpCan() { close(); }
    UdpCan(const UdpCan&) = delete;
    UdpCan& operator=(const UdpCan&) = delete;

    Status open(const CanConfig& config) override;
    Result<bool> receive(CanFrame& out) override;
    Status send(const CanFrame& frame) override;
    Sending sending() override { return Sending::kSent; }
    void close() override;

    int descriptor() const { return socket_; }

  private:
    int socket_ = -1;
    uint32_t group_ = 0;     // network order
    uint16_t own_port_ = 0;  // network order; who sends from it is this bus itself
    int sender_ = -1;
};

}  // namespace ota
