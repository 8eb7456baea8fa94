#include "api/modbus_part.hpp"

#include "api/config_fields.hpp"

namespace ota {
namespace {

constexpr Millis kAnswer = 100;  // a master waits longer, as a rule for a second
constexpr Status kNoSuchWay{Code::kUnavailable, Origin::kApi};

}  // namespace

Status ModbusPart::open(const ota_modbus_config_t& config, const Platform& platform,
                        ModbusIdentity& identity) {
    if (is_open()) return {Code::kNoSpace, Origin::kApi};
    identity.unit = or_default<uint8_t>(config.unit_id, 1);
    identity.base = or_default<uint16_t>(config.register_base, modbus::kDefaultBase);
    const FieldBuses& buses = platform.buses;
    if (config.shared) {
        if (buses.task == nullptr) return kNoSuchWay;
        link_ = &gate_.emplace();
        return {};
    }
    if (config.serial_device == nullptr) {
        if (buses.modbus_tcp == nullptr) return kNoSuchWay;
        OTA_TRY(buses.modbus_tcp->listen(or_default<uint16_t>(config.tcp_port, 502)));
        link_ = &tcp_.emplace(*buses.modbus_tcp);
        return {};
    }
    if (buses.modbus_line == nullptr) return kNoSuchWay;
    RtuLink::Config line;
    line.unit = identity.unit;
    line.line = {config.serial_device, or_default<uint32_t>(config.baud_rate, 19200),
                 static_cast<SerialFormat>(config.serial_format)};
    line.least_silence = buses.least_silence;
    rtu_.emplace(*buses.modbus_line, platform.clock, line);
    OTA_TRY(rtu_->open());
    link_ = &*rtu_;
    return {};
}

void ModbusPart::close() {
    if (is_open()) link_->close();
}

void ModbusPart::start(const ModbusIdentity& identity, PushDesk& desk, AccessDoor& door,
                       const Platform& platform) {
    if (is_open()) server_.emplace(identity, desk, door, platform.mailbox, platform.clock);
}

bool ModbusPart::poll(size_t most) {
    return server_ && server_->poll(*link_, most) == most;
}

// The links' task answers each request at once; what is waited for is its turn.
Result<size_t> ModbusPart::ask(Bytes request, uint16_t base, MutableBytes answer,
                               const Platform& platform) {
    if (!gate_) return kNoSuchWay;
    if (!is_for_update_block(request, base)) return Status{Code::kRefused, Origin::kApi};
    const Millis end = platform.clock.now() + kAnswer;
    bool is_posted = false;
    while (platform.clock.now() < end) {
        is_posted = is_posted || gate_->post(request);
        if (const size_t size = is_posted ? gate_->take(answer) : 0; size != 0) return size;
        platform.task.pause();
    }
    if (is_posted) gate_->withdraw();
    return Status{Code::kTimeout, Origin::kApi};
}

}  // namespace ota
