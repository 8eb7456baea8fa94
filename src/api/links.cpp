#include "api/links.hpp"

#include <cstdio>

namespace ota {
namespace {

// A poll takes no longer than this many requests do; a full one has more waiting.
constexpr size_t kBurst = 32;
constexpr Millis kRestTime = 5;
constexpr Millis kInFrame = 1;
// Normal fixed addressing (docs/can-profile.md): below what protects the battery.
constexpr uint8_t kOwnAddress = 0x10;
constexpr uint8_t kTesterAddress = 0xF1;
constexpr uint8_t kEverybody = 0x33;
constexpr uint8_t kLowPriority = 7;
constexpr uint32_t kHighest11Bit = 0x7FF;
constexpr uint32_t kStack = 4096;
constexpr int kHighestPriority = 24;

std::string_view text_of(const char* text) {
    return text == nullptr ? std::string_view() : std::string_view(text);
}

template <typename T>
T or_default(T value, T otherwise) {
    return value == 0 ? otherwise : value;
}

}  // namespace

Links::Links(const Platform& platform, const EngineView& engine, BusDoors& doors,
             const ota_manager_config_t& config)
    : platform_(platform), engine_(engine), doors_(doors) {
    // "ESP32-P4 v1.0", the one chip of this product.
    std::array<char, 24> text{};
    (void)std::snprintf(text.data(), text.size(), "ESP32-P4 v%u.%u", platform.chip_revision / 100U,
                        platform.chip_revision % 100U);
    hardware_.assign(text.data());
    identity_.hardware = hardware_.view();
    identity_.serial = text_of(config.serial_number);
    identity_.takes_suit = build::kSuit && config.suit_vendor_id != nullptr;
}

Links::~Links() {
    if (modbus_link_ != nullptr) modbus_link_->close();
    if (has_can_) platform_.buses.can->close();
}

Status Links::open_modbus(const ota_modbus_config_t& config) {
    if (modbus_link_ != nullptr) return {Code::kNoSpace, Origin::kApi};
    identity_.unit = or_default<uint8_t>(config.unit_id, 1);
    identity_.base = or_default<uint16_t>(config.register_base, modbus::kDefaultBase);
    const FieldBuses& buses = platform_.buses;
    if (config.serial_device == nullptr) {
        if (buses.modbus_tcp == nullptr) return {Code::kUnavailable, Origin::kApi};
        OTA_TRY(buses.modbus_tcp->listen(or_default<uint16_t>(config.tcp_port, 502)));
        modbus_link_ = &tcp_.emplace(*buses.modbus_tcp);
        return {};
    }
    if (buses.modbus_line == nullptr) return {Code::kUnavailable, Origin::kApi};
    RtuLink::Config line;
    line.unit = identity_.unit;
    line.line = {config.serial_device, or_default<uint32_t>(config.baud_rate, 19200),
                 static_cast<SerialFormat>(config.serial_format)};
    line.least_silence = buses.least_silence;
    rtu_.emplace(*buses.modbus_line, platform_.clock, line);
    OTA_TRY(rtu_->open());
    modbus_link_ = &*rtu_;
    return {};
}

Status Links::open_canbus(const ota_canbus_config_t& config) {
    if (has_can_) return {Code::kNoSpace, Origin::kApi};
    if (platform_.buses.can == nullptr) return {Code::kUnavailable, Origin::kApi};
    IsoTpAddress& address = can_config_.address;
    address = IsoTpAddress::normal_fixed(kOwnAddress, kTesterAddress, kLowPriority, kEverybody);
    if (config.request_id != 0) {
        address.receive_id = config.request_id;
        address.send_id = config.response_id;
        address.is_29_bit = config.request_id > kHighest11Bit || config.response_id > kHighest11Bit;
        address.functional_id.reset();
    }
    if (config.functional_id != 0) address.functional_id = config.functional_id;
    CanConfig bus;
    bus.interface = config.interface == nullptr ? "can0" : config.interface;
    bus.bitrate = or_default<uint32_t>(config.bitrate, 500000);
    bus.is_fd = config.fd;
    bus.is_29_bit = address.is_29_bit;
    bus.identifiers = {address.receive_id, address.functional_id.value_or(address.receive_id),
                       address.send_id};
    can_config_.is_fd = config.fd;
    can_config_.block_size =
        config.block_size == 255 ? uint8_t{0} : or_default<uint8_t>(config.block_size, 8);
    can_config_.separation = separation_for(bus.bitrate, or_default<uint8_t>(config.bus_load, 30));
    OTA_TRY(platform_.buses.can->open(bus));
    has_can_ = true;
    return {};
}

Status Links::start(const TaskConfig& engine) {
    if (modbus_link_ == nullptr && !has_can_) return {};
    pair_.window.close();
    desk_.emplace(pair_.window, PushDesk::Engine{engine_, platform_.mailbox, platform_.clock});
    for (AccessDoor& door : doors_.doors) door.pause(platform_.clock.now());
    if (modbus_link_ != nullptr) {
        modbus_.emplace(identity_, *desk_, doors_.modbus(), platform_.mailbox, platform_.clock);
    }
    if (has_can_) {
        const UdsIdentity own{identity_.serial, identity_.hardware, identity_.takes_suit};
        uds_.emplace(own, *desk_, doors_.canbus(), platform_.mailbox, platform_.clock);
        can_.emplace(*platform_.buses.can, *uds_, platform_.clock, can_config_);
    }
    stop_asked_ = false;
    TaskConfig config = engine;
    config.priority = std::min(engine.priority + 1, kHighestPriority);
    config.stack_size = kStack;
    OTA_TRY(platform_.buses.task->start(
        config, [](void* self) { static_cast<Links*>(self)->run(); }, this));
    is_running_ = true;
    return {};
}

void Links::stop() {
    if (!is_running_) return;
    stop_asked_ = true;
    platform_.buses.task->join();
    is_running_ = false;
}

void Links::run() {
    while (!stop_asked_) poll();
}

void Links::poll() {
    desk_->poll();
    bool more = modbus_ && modbus_->poll(*modbus_link_, kBurst) == kBurst;
    if (can_) more = can_->poll(kBurst) == kBurst || more;
    // Timers of less than a rest's length are about: ISO-TP's gaps, and the silence that ends a
    // frame, which wakes nobody.
    const bool in_frame = can_ || (rtu_ && rtu_->is_receiving());
    if (!more) platform_.buses.rest->rest(in_frame ? kInFrame : kRestTime);
}

}  // namespace ota
