// A CAN interface of the Linux kernel.
#pragma once

#include "ports/can_bus.hpp"

namespace ota {

// The rate is the interface's own (ip link set can0 type can bitrate 500000).
class SocketCan final : public CanBus {
  public:
    SocketCan() = default;
    ~SocketCan() { close(); }
    SocketCan(const SocketCan&) = delete;
    SocketCan& operator=(const SocketCan&) = delete;

    Status open(const CanConfig& config) override;
    Result<bool> receive(CanFrame& out) override;
    Status send(const CanFrame& frame) override;
    // When the kernel loops the frame back it was on the bus.
    Sending sending() override { return sending_; }
    void close() override;

    int descriptor() const { return socket_; }

  private:
    int socket_ = -1;
    Sending sending_ = Sending::kSent;
};

}  // namespace ota
