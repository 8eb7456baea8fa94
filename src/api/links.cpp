#include "api/links.hpp"

#include <cstdio>

#include "api/config_fields.hpp"

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
constexpr uint8_t kFirstBoard = 0x21;
constexpr uint8_t kMostBoards = 12;
// What a transfer takes of the bus, %, and how much there may be in all: while the battery works,
// and at rest.
constexpr uint8_t kLoadAtWork = 30;
constexpr uint8_t kLoadAtRest = 80;
constexpr uint8_t kTotalAtWork = 70;
constexpr uint8_t kTotalAtRest = 90;
constexpr Millis kLimitInterval = 500;
constexpr uint32_t kStack = 4096;
constexpr int kHighestPriority = 24;

CanLink::Config uds_config_of(const ota_canbus_config_t& config) {
    CanLink::Config out;
    IsoTpAddress& address = out.address;
    address = IsoTpAddress::normal_fixed(kOwnAddress, kTesterAddress, kLowPriority, kEverybody);
    if (config.request_id != 0) {
        address.receive_id = config.request_id;
        address.send_id = config.response_id;
        address.is_29_bit = config.request_id > kHighest11Bit || config.response_id > kHighest11Bit;
        address.functional_id.reset();
    }
    if (config.functional_id != 0) address.functional_id = config.functional_id;
    out.is_fd = config.fd;
    out.block_size =
        config.block_size == 255 ? uint8_t{0} : or_default<uint8_t>(config.block_size, 8);
    return out;
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
    for (ModbusPart& modbus : modbus_) modbus.close();
    if (has_bus()) share_->close();
}

Boards::Boards(const ota_modules_config_t& c)
    : component(exchange, or_default<uint8_t>(c.count, kMostBoards), c.access_hmac_key_id) {
    config.first_address = or_default<uint8_t>(c.first_address, kFirstBoard);
    config.session.own_address = kOwnAddress;
    config.session.priority = kLowPriority;
    config.session.frame_size = static_cast<uint8_t>(c.fd ? kFdCanData : kClassicCanData);
    config.session.hardware = text_of(c.hardware);
}

Status Links::open_modbus(const ota_modbus_config_t& config) {
    for (ModbusPart& modbus : modbus_) return modbus.open(config, platform_, identity_);
    return {Code::kUnavailable, Origin::kApi};
}

Result<size_t> Links::ask_modbus(Bytes request, MutableBytes answer) {
    for (ModbusPart& modbus : modbus_) {
        if (is_running_) return modbus.ask(request, identity_.base, answer, platform_);
    }
    return Status{Code::kUnavailable, Origin::kApi};
}

Status Links::open_canbus(const ota_canbus_config_t& config) {
    for (UdsPart& uds : uds_) {
        if (uds.is_open) return {Code::kNoSpace, Origin::kApi};
        uds.config = uds_config_of(config);
        OTA_TRY(open_bus(config.interface, config.bitrate, config.fd, config.bus_load));
        uds.is_open = true;
        return {};
    }
    return {Code::kUnavailable, Origin::kApi};
}

Status Links::open_modules(const ota_modules_config_t& config) {
    for (auto& boards : boards_) {
        if (boards) return {Code::kNoSpace, Origin::kApi};
        OTA_TRY(open_bus(config.interface, config.bitrate, config.fd, config.bus_load));
        boards.emplace(config);
    }
    return {};
}

// There is one CAN bus, whoever speaks on it.
Status Links::open_bus(const char* interface, uint32_t bitrate, bool fd, uint8_t load) {
    if (platform_.buses.can == nullptr) return {Code::kUnavailable, Origin::kApi};
    CanConfig bus;
    bus.interface = interface == nullptr ? "can0" : interface;
    bus.bitrate = or_default<uint32_t>(bitrate, 500000);
    bus.is_fd = fd;
    if (has_bus()) {
        const bool same = text_of(bus_.interface) == bus.interface && bus_.bitrate == bus.bitrate &&
                          bus_.is_fd == bus.is_fd;
        if (!same) return {Code::kOutOfRange, Origin::kApi, Detail::kCanInterface};
        bus_load_ = std::max(bus_load_, load);
        return {};
    }
    CanShare& share = share_.emplace(*platform_.buses.can, platform_.clock);
    const Status opened = share.open(bus);
    if (!opened.ok()) {
        share_.reset();
        return opened;
    }
    bus_ = bus;
    bus_load_ = load;
    return {};
}

Status Links::start(const TaskConfig& engine) {
    if (!has_modbus() && !has_bus()) return {};
    pair_.window.close();
    desk_.emplace(pair_.window, PushDesk::Engine{engine_, platform_.mailbox, platform_.clock});
    for (AccessDoor& door : doors_.doors) door.pause(platform_.clock.now());
    for (ModbusPart& modbus : modbus_) {
        modbus.start(identity_, *desk_, doors_.modbus(), platform_);
    }
    for (UdsPart& uds : uds_) start_server(uds);
    if (has_boards()) start_boards();
    next_limit_ = 0;
    stop_asked_ = false;
    TaskConfig config = engine;
    config.priority = std::min(engine.priority + 1, kHighestPriority);
    config.stack_size = kStack;
    OTA_TRY(platform_.buses.task->start(
        config, [](void* self) { static_cast<Links*>(self)->run(); }, this));
    is_running_ = true;
    return {};
}

void Links::start_server(UdsPart& part) {
    if (!part.is_open) return;
    const IsoTpAddress& address = part.config.address;
    const std::array<uint32_t, 2> wanted{address.receive_id,
                                         address.functional_id.value_or(address.receive_id)};
    CanConfig frames;
    frames.identifiers = wanted;
    frames.is_29_bit = address.is_29_bit;
    CanBus& bus = share_->face(CanShare::kServer);
    (void)bus.open(frames);
    const UdsIdentity own{identity_.serial, identity_.hardware, identity_.takes_suit};
    part.server.emplace(own, *desk_, doors_.canbus(), platform_.mailbox, platform_.clock);
    part.link.emplace(bus, *part.server, platform_.clock, part.config);
}

void Links::start_boards() {
    for (std::optional<Boards>& boards : boards_) {
        boards->link.emplace(
            std::array{&share_->face(CanShare::kBoards), &share_->face(CanShare::kNextBoard)},
            platform_.clock, boards->exchange, boards->config);
    }
}

// What protects the battery needs less of the bus while it rests.
void Links::limit_load() {
    if (!has_bus() || platform_.clock.now() < next_limit_) return;
    next_limit_ = platform_.clock.now() + kLimitInterval;
    const bool at_rest = engine_.snapshot().at_rest;
    BusLimits limits{at_rest ? kLoadAtRest : kLoadAtWork, at_rest ? kTotalAtRest : kTotalAtWork};
    if (bus_load_ != 0) limits = {bus_load_, std::max(limits.total, bus_load_)};
    share_->limit(limits);
    for (UdsPart& uds : uds_) {
        if (uds.link) uds.link->ask_separation(separation_for(bus_.bitrate, limits.own));
    }
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
    limit_load();
    bool more = false;
    bool in_frame = false;
    for (ModbusPart& modbus : modbus_) {
        more = modbus.poll(kBurst);
        in_frame = in_frame || modbus.is_receiving();
    }
    for (UdsPart& uds : uds_) {
        if (!uds.link) continue;
        more = uds.link->poll(kBurst) == kBurst || more;
        in_frame = in_frame || uds.link->is_busy();
    }
    for (std::optional<Boards>& boards : boards_) {
        if (!boards || !boards->link) continue;
        boards->link->poll();
        in_frame = in_frame || boards->link->is_busy();
        more = more || boards->link->due() <= platform_.clock.micros();
    }
    if (has_bus()) more = share_->poll() || share_->has_frame() || more;
    // Timers of less than a rest's length are about: ISO-TP's gaps, and the silence that ends a
    // frame, which wakes nobody.
    if (!more) platform_.buses.rest->rest(in_frame ? kInFrame : kRestTime);
}

}  // namespace ota
