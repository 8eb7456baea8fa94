#pragma once

#include <modbus.h>

#include <memory>

#include "push_peer.hpp"

namespace otactl {

struct ModbusPlace {
    std::string host;  // TCP; or
    std::string port = "502";
    std::string line;  // RTU
    int baud = 19200;
    std::string format = "8E1";
    int unit = 1;
    int base = 8000;
};

// How long an answer is waited for: a full frame there and one back have to fit, which at 9600 baud
// is more than libmodbus's own 500 ms.
unsigned answer_timeout_ms(const ModbusPlace& place);

// The update block of registers (docs/modbus-map.md), by libmodbus.
class ModbusPeer final : public PushPeer {
  public:
    explicit ModbusPeer(const ModbusPlace& place) : place_(place) { connect(); }

    PeerIdentity identify() override;
    PeerStatus status() override;
    void unlock(const AccessKey& access) override;
    void open(const PackageName& package, const OpenOptions& options) override;
    void finish() override;
    void apply() override;
    size_t block_size() const override { return block_; }
    Written write(uint32_t offset, const uint8_t* bytes, size_t size) override;
    uint32_t pause_ms() const override { return pause_; }
    void reconnect() override { connect(); }

  private:
    using Registers = std::vector<uint16_t>;
    struct Free {
        void operator()(modbus_t* modbus) const {
            modbus_close(modbus);
            modbus_free(modbus);
        }
    };

    void connect();
    Registers read(int at, int count);
    // The Modbus exception, or 0. PeerLost when nothing came.
    int write_registers(int at, const Registers& values);
    // The result of the order, or kUnderWay after so long.
    enum class Result { kDone, kUnderWay };
    Result order(Registers values, const char* what, unsigned longest_ms);
    [[noreturn]] void lost() const;

    ModbusPlace place_;
    std::unique_ptr<modbus_t, Free> modbus_;
    size_t block_ = 240;
    uint16_t tag_ = 0;
    uint16_t sequence_ = 0;
    uint16_t unanswered_ = 0;  // the latest order, until its result was read
    uint32_t pause_ = 20;
};

}  // namespace otactl
