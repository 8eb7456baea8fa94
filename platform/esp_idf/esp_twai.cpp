#include "esp_idf/esp_twai.hpp"

#include <esp_attr.h>
#include <esp_twai_onchip.h>
#include <sdkconfig.h>

#include <algorithm>

#include "base/text.hpp"

// The interrupt's own code is in RAM as a whole only where the compiler inlines.
#if defined(ESP_PLATFORM) && !defined(__OPTIMIZE__)
#error "COMPILER_OPTIMIZATION_NONE leaves parts of the interrupt in flash"
#endif
// An erase stops all code that is in flash for 45 ms, and a frame takes a quarter of one.
#if !defined(CONFIG_TWAI_ISR_CACHE_SAFE)
#error "without CONFIG_TWAI_ISR_CACHE_SAFE frames are lost while flash is erased"
#endif

namespace ota {
namespace {

constexpr Status kNoInterface{Code::kUnavailable, Origin::kPlatform, Detail::kCanInterface};
constexpr Status kNotLikeThis{Code::kOutOfRange, Origin::kPlatform, Detail::kCanInterface};

constexpr int kHighestGpio = 54;  // soc/esp32p4: SOC_GPIO_PIN_COUNT is 55
constexpr uint8_t kExtended = 1;
constexpr uint8_t kRemote = 2;

// "twai:TX,RX".
bool parse_pins(std::string_view name, int& tx, int& rx) {
    constexpr std::string_view kPrefix = "twai:";
    if (!name.starts_with(kPrefix)) return false;
    name.remove_prefix(kPrefix.size());
    const size_t comma = name.find(',');
    uint64_t first = 0;
    uint64_t second = 0;
    if (comma == std::string_view::npos || !parse_decimal(name.substr(0, comma), first) ||
        !parse_decimal(name.substr(comma + 1), second)) {
        return false;
    }
    tx = static_cast<int>(std::min<uint64_t>(first, kHighestGpio + 1));
    rx = static_cast<int>(std::min<uint64_t>(second, kHighestGpio + 1));
    return tx <= kHighestGpio && rx <= kHighestGpio && tx != rx;
}

}  // namespace

Status EspTwai::open(const CanConfig& config) {
    close();
    if (config.is_fd) return kNotLikeThis;
    int tx = 0;
    int rx = 0;
    if (!parse_pins(config.interface, tx, rx)) return kNoInterface;
    twai_onchip_node_config_t node{};
    node.io_cfg.tx = static_cast<gpio_num_t>(tx);
    node.io_cfg.rx = static_cast<gpio_num_t>(rx);
    node.io_cfg.quanta_clk_out = GPIO_NUM_NC;
    node.io_cfg.bus_off_indicator = GPIO_NUM_NC;
    node.bit_timing.bitrate = config.bitrate;
    node.fail_retry_cnt = -1;  // as ISO 11898-1 has it; ISO-TP's timer ends it
    node.tx_queue_depth = 1;
    const esp_err_t made = twai_new_node_onchip(&node, &node_);
    if (made != ESP_OK) {
        node_ = nullptr;
        return made == ESP_ERR_INVALID_ARG ? kNotLikeThis : kNoInterface;
    }
    ring_.clear();
    sending_ = static_cast<uint32_t>(Sending::kSent);
    awaited_ = 0;
    is_off_ = 0;
    offs_ = offs_seen_ = 0;
    is_recovering_ = false;
    twai_event_callbacks_t callbacks{};
    callbacks.on_rx_done = on_received;
    callbacks.on_tx_done = on_sent;
    callbacks.on_state_change = on_state;
    if (twai_node_register_event_callbacks(node_, &callbacks, this) == ESP_OK &&
        twai_node_enable(node_) == ESP_OK) {
        return {};
    }
    close();
    return kNoInterface;
}

// ---------------------------------------------------------------- interrupts

bool IRAM_ATTR EspTwai::on_received(twai_node_handle_t node, const twai_rx_done_event_data_t*,
                                    void* context) {
    auto* const self = static_cast<EspTwai*>(context);
    Slot* const slot = self->ring_.reserve();
    if (slot == nullptr) return false;
    twai_frame_t frame;
    frame.header.dlc = 0;
    frame.buffer = slot->data;
    frame.buffer_len = sizeof slot->data;
    if (twai_node_receive_from_isr(node, &frame) != ESP_OK) return false;
    slot->id = frame.header.id;
    slot->size = frame.header.dlc < kClassicCanData ? static_cast<uint8_t>(frame.header.dlc)
                                                    : uint8_t{kClassicCanData};
    slot->flags = static_cast<uint8_t>((frame.header.ide != 0 ? kExtended : 0) |
                                       (frame.header.rtr != 0 ? kRemote : 0));
    self->ring_.commit();
    BaseType_t is_more_urgent = pdFALSE;
    (void)xSemaphoreGiveFromISR(self->wake_.handle(), &is_more_urgent);
    return is_more_urgent == pdTRUE;
}

bool IRAM_ATTR EspTwai::on_sent(twai_node_handle_t, const twai_tx_done_event_data_t* event,
                                void* context) {
    auto* const self = static_cast<EspTwai*>(context);
    // Not of one that was given up before.
    if (reinterpret_cast<uintptr_t>(event->done_tx_frame) != self->awaited_.load()) return false;
    self->sending_.store(
        static_cast<uint32_t>(event->is_tx_success ? Sending::kSent : Sending::kFailed));
    BaseType_t is_more_urgent = pdFALSE;
    (void)xSemaphoreGiveFromISR(self->wake_.handle(), &is_more_urgent);
    return is_more_urgent == pdTRUE;
}

// A frame that was under way is given up: the driver does not say so (espressif/esp-idf#18643).
bool IRAM_ATTR EspTwai::on_state(twai_node_handle_t, const twai_state_change_event_data_t* event,
                                 void* context) {
    auto* const self = static_cast<EspTwai*>(context);
    const bool is_off = event->new_sta == TWAI_ERROR_BUS_OFF;
    self->is_off_.store(is_off ? 1 : 0);
    if (!is_off) return false;
    self->offs_.store(self->offs_.load() + 1);
    if (self->sending_.load() == static_cast<uint32_t>(Sending::kUnderWay)) {
        self->sending_.store(static_cast<uint32_t>(Sending::kFailed));
    }
    BaseType_t is_more_urgent = pdFALSE;
    (void)xSemaphoreGiveFromISR(self->wake_.handle(), &is_more_urgent);
    return is_more_urgent == pdTRUE;
}

// ---------------------------------------------------------------- the links' task

// Not at once: whoever disturbs the bus goes on disturbing it. It may have been back meanwhile, and
// off again.
void EspTwai::recover() {
    const Millis now = clock_.now();
    const uint32_t offs = offs_;
    if (offs != offs_seen_) {
        offs_seen_ = offs;
        off_since_ = now;
        is_recovering_ = false;
    }
    if (is_off_ == 0 || is_recovering_ || now - off_since_ < kRecoveryPause) return;
    is_recovering_ = twai_node_recover(node_) == ESP_OK;
    off_since_ = now;
}

Result<bool> EspTwai::receive(CanFrame& out) {
    if (node_ == nullptr) return kNoInterface;
    recover();
    const Slot* const slot = ring_.front();
    if (slot == nullptr) return false;
    out = CanFrame();
    out.id = slot->id;
    out.is_29_bit = (slot->flags & kExtended) != 0;
    out.is_remote = (slot->flags & kRemote) != 0;
    out.size = slot->size;
    std::copy_n(slot->data, slot->size, out.data.begin());
    ring_.pop();
    return true;
}

Status EspTwai::send(const CanFrame& frame) {
    if (node_ == nullptr || frame.is_fd || is_off_ != 0) return kNoInterface;
    Outgoing& out = outgoing_[next_];
    out.frame = twai_frame_t{};
    out.frame.header.id = frame.id;
    out.frame.header.ide = frame.is_29_bit ? 1 : 0;
    out.frame.header.rtr = frame.is_remote ? 1 : 0;
    const Bytes bytes = frame.bytes();
    const size_t size = std::min(bytes.size(), out.data.size());
    out.frame.header.dlc = static_cast<uint16_t>(size);
    std::copy_n(bytes.begin(), size, out.data.begin());
    out.frame.buffer = out.data.data();
    out.frame.buffer_len = frame.is_remote ? 0 : size;
    sending_ = static_cast<uint32_t>(Sending::kUnderWay);
    awaited_ = reinterpret_cast<uintptr_t>(&out.frame);
    if (twai_node_transmit(node_, &out.frame, 0) != ESP_OK) {
        awaited_ = 0;
        sending_ = static_cast<uint32_t>(Sending::kFailed);
        return {Code::kUnavailable, Origin::kPlatform};
    }
    next_ = (next_ + 1) % outgoing_.size();
    return {};
}

CanBus::Sending EspTwai::sending() {
    recover();
    return static_cast<Sending>(sending_.load());
}

// A node that is off the bus counts as disabled, and one that is coming back may be back between
// the two calls: what is not deleted would go on to call us.
void EspTwai::close() {
    constexpr int kTries = 4;
    for (int i = 0; node_ != nullptr && i < kTries; ++i) {
        (void)twai_node_disable(node_);
        if (twai_node_delete(node_) == ESP_OK) node_ = nullptr;
    }
    node_ = nullptr;
}

}  // namespace ota
