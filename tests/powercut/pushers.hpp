// Peers that push a package to the device under test.
#pragma once

#include "sources/can/uds_server.hpp"
#include "sources/modbus/modbus_server.hpp"
#include "sources/push_source.hpp"
#include "support/device.hpp"

namespace powercut {

class Pusher {
  public:
    virtual ~Pusher() = default;
    // From a device that runs to READY_TO_APPLY, a failure, or the loss of power.
    virtual void push(const test::Buffer& package) = 0;

  protected:
    // A round of link and engine.
    static void turn(test::Device& device, ota::PushDesk& desk) {
        desk.poll();
        device.step();
    }
};

class ModbusMaster final : public Pusher {
  public:
    explicit ModbusMaster(test::Device& device);
    void push(const test::Buffer& package) override;

  private:
    bool open(const test::Buffer& package);
    void send(const test::Buffer& package);
    test::Buffer ask(const test::Buffer& request);
    uint32_t number(uint16_t at);
    test::Buffer write_request(uint16_t at, const std::vector<uint16_t>& values) const;

    test::Device& device_;
    ota::PushPair pair_;
    ota::AccessDoor door_;
    std::optional<ota::PushDesk> desk_;
    std::optional<ota::ModbusServer> server_;
};

class UdsTester final : public Pusher {
  public:
    explicit UdsTester(test::Device& device);
    void push(const test::Buffer& package) override;

  private:
    // The positive answer; empty: another, or power was lost.
    test::Buffer ask(const test::Buffer& request);
    bool begin(const test::Buffer& package, uint32_t offset);
    uint32_t next_offset();
    bool is_over() const;

    test::Device& device_;
    ota::PushPair pair_;
    ota::AccessDoor door_;
    std::optional<ota::PushDesk> desk_;
    std::optional<ota::UdsServer> server_;
    test::Buffer request_;
};

}  // namespace powercut
