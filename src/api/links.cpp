#include "api/links.hpp"

#include <cstdio>

namespace ota {
namespace {

// A poll takes no longer than this many requests do; a full one has more waiting.
constexpr size_t kBurst = 32;
constexpr Millis kRestTime = 5;
constexpr Millis kInFrame = 1;  // the end of a frame is a silence, which wakes nobody
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

Links::Links(const Platform& platform, const EngineView& engine, AccessDoor& door,
             const ota_manager_config_t& config)
    : platform_(platform), engine_(engine), door_(door) {
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

Status Links::start(const TaskConfig& engine) {
    if (modbus_link_ == nullptr) return {};
    pair_.window.close();
    desk_.emplace(pair_.window, PushDesk::Engine{engine_, platform_.mailbox, platform_.clock});
    modbus_.emplace(identity_, *desk_, door_, platform_.mailbox, platform_.clock);
    door_.pause(platform_.clock.now());
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
    const bool more = modbus_->poll(*modbus_link_, kBurst) == kBurst;
    const bool in_frame = rtu_ && rtu_->is_receiving();
    if (!more) platform_.buses.rest->rest(in_frame ? kInFrame : kRestTime);
}

}  // namespace ota
