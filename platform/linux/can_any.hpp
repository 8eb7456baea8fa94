// The CAN interfaces of a Linux host by name: "can0" of the kernel, "slcan:/dev/ttyACM0",
// "udp:239.74.163.2".
#pragma once

#include "linux/can_socketcan.hpp"
#include "linux/can_udp.hpp"
#include "linux/serial_tty.hpp"

namespace ota {

class AnyCan final : public CanBus {
  public:
    // slcan: over line.
    AnyCan(CanBus& slcan, const TtyPort& line) : slcan_(slcan), line_(line) {}

    Status open(const CanConfig& config) override;
    Result<bool> receive(CanFrame& out) override { return chosen_->receive(out); }
    Status send(const CanFrame& frame) override { return chosen_->send(frame); }
    Sending sending() override { return chosen_->sending(); }
    void close() override { chosen_->close(); }

    // What to wait on until something comes; negative: nothing.
    int descriptor() const;

  private:
    CanBus& slcan_;
    const TtyPort& line_;
    SocketCan kernel_;
    UdpCan udp_;
    CanBus* chosen_ = &kernel_;
};

}  // namespace ota
