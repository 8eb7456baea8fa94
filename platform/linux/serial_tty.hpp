// A serial line of Linux: a UART, a USB adapter, or a pseudo terminal.
#pragma once

#include "ports/serial_port.hpp"

namespace ota {

class TtyPort final : public SerialPort {
  public:
    TtyPort() = default;
    ~TtyPort() { close(); }
    TtyPort(const TtyPort&) = delete;
    TtyPort& operator=(const TtyPort&) = delete;

    Status open(const SerialConfig& config) override;
    Result<size_t> read(MutableBytes out) override;
    Result<size_t> write(Bytes bytes) override;
    void close() override;

    // What to wait on until something comes; negative: nothing.
    int descriptor() const { return fd_; }

  private:
    int fd_ = -1;
};

}  // namespace ota
