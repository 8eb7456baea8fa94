// The Modbus server with the way that was configured for it.
#pragma once

#include "api/platform.hpp"
#include "ota_manager_types.h"
#include "sources/modbus/modbus_gate.hpp"
#include "sources/modbus/modbus_server.hpp"
#include "sources/modbus/rtu_link.hpp"
#include "sources/modbus/tcp_link.hpp"

namespace ota {

class ModbusPart {
  public:
    // Opens the line or the port; identity gets the unit and the registers' base. kUnavailable,
    // kOutOfRange: see SerialPort, StreamServer; kNoSpace: it is open already.
    Status open(const ota_modbus_config_t& config, const Platform& platform,
                ModbusIdentity& identity);
    bool is_open() const { return link_ != nullptr; }
    void close();

    // Link context, between start() and the end of the links' task. poll: true: more is waiting.
    void start(const ModbusIdentity& identity, PushDesk& desk, AccessDoor& door,
               const Platform& platform);
    bool poll(size_t most);
    bool is_receiving() const { return rtu_ && rtu_->is_receiving(); }

    // Any task, while the links' task runs: a request that came to the application's server.
    // kRefused: it is not for the registers at base; kTimeout; kUnavailable: nothing is shared.
    Result<size_t> ask(Bytes request, uint16_t base, MutableBytes answer, const Platform& platform);

  private:
    std::optional<ModbusServer> server_;
    std::optional<RtuLink> rtu_;
    std::optional<TcpLink> tcp_;
    std::optional<ModbusGate> gate_;
    ModbusLink* link_ = nullptr;  // one of them
};

}  // namespace ota
