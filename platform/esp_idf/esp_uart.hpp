#pragma once

#include "ports/serial_port.hpp"

namespace ota {

// A UART by the name "uart0" … "uart4". Its pins, and RS-485's direction (uart_set_pin,
// uart_set_mode), are the application's to set; the driver is installed here.
class EspUart final : public SerialPort {
  public:
    EspUart() = default;
    ~EspUart() { close(); }
    EspUart(const EspUart&) = delete;
    EspUart& operator=(const EspUart&) = delete;

    Status open(const SerialConfig& config) override;
    Result<size_t> read(MutableBytes out) override;
    Result<size_t> write(Bytes bytes) override;
    void close() override;

  private:
    int port_ = -1;
};

}  // namespace ota
