// A CAN adapter on a serial line (Lawicel's protocol), or a pseudo terminal that stands for one.
#pragma once

#include "ports/can_bus.hpp"
#include "ports/serial_port.hpp"
#include "wire/slcan.hpp"

namespace ota {

// interface: the line, as /dev/ttyACM0.
class SlcanBus final : public CanBus {
  public:
    explicit SlcanBus(SerialPort& port) : port_(port) {}

    Status open(const CanConfig& config) override;
    Result<bool> receive(CanFrame& out) override;
    Status send(const CanFrame& frame) override;
    // Adapters say "z" when they have taken a frame, but not all do: it is not waited for.
    Sending sending() override { return Sending::kSent; }
    void close() override;

  private:
    Status put(std::string_view line);

    SerialPort& port_;
    bool is_open_ = false;
    SlcanLine line_;
    bool is_too_long_ = false;
    std::array<uint8_t, 256> bytes_{};
    size_t at_ = 0;
    size_t end_ = 0;
};

}  // namespace ota
