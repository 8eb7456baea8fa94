// An asynchronous serial line.
#pragma once

#include "base/bytes.hpp"
#include "base/status.hpp"

namespace ota {

enum class SerialFormat : uint8_t { k8E1, k8N1, k8N2 };

struct SerialConfig {
    const char* device = nullptr;  // by the name that the platform gives it
    uint32_t baud_rate = 19200;
    SerialFormat format = SerialFormat::k8E1;
};

// Link context. No call blocks.
class SerialPort {
  public:
    // kUnavailable: no such line; kOutOfRange: it can't go so fast, or not in this format.
    virtual Status open(const SerialConfig& config) = 0;
    // Bytes that have come; 0: none.
    virtual Result<size_t> read(MutableBytes out) = 0;
    // How many of bytes were taken for sending.
    virtual Result<size_t> write(Bytes bytes) = 0;
    virtual void close() = 0;

  protected:
    ~SerialPort() = default;
};

}  // namespace ota
