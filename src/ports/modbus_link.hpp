// Where Modbus requests come from.
#pragma once

#include "base/bytes.hpp"
#include "base/status.hpp"

namespace ota {

// Who a request is for, as its frame says.
struct ModbusTarget {
    uint8_t unit = 0;
    bool is_broadcast = false;  // nobody answers
    bool is_direct = false;     // the frame went to this device whatever unit it names (TCP)
};

// Link context. No call blocks.
class ModbusLink {
  public:
    // A whole request: its PDU in out, which has room for kModbusRequest bytes, and its size; 0:
    // there is none now.
    virtual Result<size_t> receive(MutableBytes out, ModbusTarget& target) = 0;
    // To what receive() gave last; not more than once.
    virtual Status answer(Bytes pdu) = 0;
    virtual void close() = 0;

  protected:
    ~ModbusLink() = default;
};

}  // namespace ota
