#pragma once

#include "api/can_share.hpp"
#include "api/modbus_part.hpp"
#include "api/platform.hpp"
#include "install/module_component.hpp"
#include "install/module_link.hpp"
#include "ota_manager.h"
#include "sources/can/can_link.hpp"
#include "sources/push_source.hpp"
#include "verify/access_check.hpp"

namespace ota {

// Each bus has its own: who passes on one has not on the other.
struct BusDoors {
    AccessDoor& modbus() { return doors[0]; }
    AccessDoor& canbus() { return doors[1]; }

    std::array<AccessDoor, 2> doors;
    AccessCheck check;
};

// The boards behind the controller, from both sides.
struct Boards {
    explicit Boards(const ota_modules_config_t& config);

    ModuleExchange exchange;
    ModuleComponent component;
    ModuleLink::Config config;
    std::optional<ModuleLink> link;
};

// The device as a UDS server.
struct UdsPart {
    CanLink::Config config;
    bool is_open = false;
    std::optional<UdsServer> server;
    std::optional<CanLink> link;
};

// The servers of all field buses, and the conversations with module boards, in a task of their own:
// it never touches flash, so that peers have their answers while flash is erased.
class Links {
  public:
    Links(const Platform& platform, const EngineView& engine, BusDoors& doors,
          const ota_manager_config_t& config);
    ~Links();
    Links(const Links&) = delete;
    Links& operator=(const Links&) = delete;

    // Opens the line, port or interface. kUnavailable, kOutOfRange: see SerialPort, StreamServer,
    // CanBus; kNoSpace: there is one already.
    Status open_modbus(const ota_modbus_config_t& config);
    Status open_canbus(const ota_canbus_config_t& config);
    // Likewise; kOutOfRange: the bus is open already, under another name or with another rate.
    Status open_modules(const ota_modules_config_t& config);
    PushPair& pair() { return pair_; }
    // Any task, between start and stop. kRefused: it is not for the update block; kTimeout;
    // kUnavailable: Modbus is not shared.
    Result<size_t> ask_modbus(Bytes request, MutableBytes answer);
    ModuleBoards* modules() { return has_boards() ? &boards_[0]->component : nullptr; }

    // Between the engine's start and its stop. Does nothing when no bus was opened.
    Status start(const TaskConfig& engine);
    void stop();

  private:
    void run();
    void poll();
    Status open_bus(const char* interface, uint32_t bitrate, bool fd, uint8_t load);
    void start_server(UdsPart& part);
    void start_boards();
    void limit_load();
    bool has_boards() const { return build::kModules && boards_[0].has_value(); }
    bool has_bus() const { return (build::kCanbus || build::kModules) && share_.has_value(); }
    bool has_modbus() const { return build::kModbus && modbus_[0].is_open(); }

    const Platform& platform_;
    const EngineView& engine_;
    BusDoors& doors_;
    ModbusIdentity identity_;
    FixedString<16> hardware_;
    PushPair pair_;
    std::optional<PushDesk> desk_;
    std::array<ModbusPart, build::kModbus ? 1 : 0> modbus_;
    CanConfig bus_;  // interface null: not open
    uint8_t bus_load_ = 0;
    std::optional<CanShare> share_;
    std::array<UdsPart, build::kCanbus ? 1 : 0> uds_;
    std::array<std::optional<Boards>, build::kModules ? 1 : 0> boards_;
    Millis next_limit_ = 0;
    std::atomic<bool> stop_asked_{false};
    std::atomic<bool> is_running_{false};
};

}  // namespace ota
