// CanBus over the TWAI node driver (components/esp_driver_twai, ESP-IDF 5.5 and later). Classic CAN
// alone: the ESP32-P4 has no FD.
#pragma once

#include <esp_twai.h>

#include <array>
#include <atomic>

#include "esp_idf/isr_ring.hpp"
#include "esp_idf/wake.hpp"
#include "ports/can_bus.hpp"
#include "ports/clock.hpp"

namespace ota {

// A controller of its own, which the driver chooses, by the name "twai:TX,RX", its GPIOs. Its
// transceiver, with a stand-by pin if it has one, is the application's. Whatever comes is put into
// a ring by the interrupt, also while flash is erased: 256 frames are what a bus of 500 kbit/s
// brings in 65 ms, a sector's erase takes 45 ms. What does not fit is lost, as on a bus.
//
// A node that is off the bus (ISO 11898-1 8.3.4) is brought back after kRecoveryPause, again and
// again, for a bus may be broken for hours.
class EspTwai final : public CanBus {
  public:
    explicit EspTwai(Clock& clock) : clock_(clock) {}
    ~EspTwai() { close(); }
    EspTwai(const EspTwai&) = delete;
    EspTwai& operator=(const EspTwai&) = delete;

    Status open(const CanConfig& config) override;
    Result<bool> receive(CanFrame& out) override;
    Status send(const CanFrame& frame) override;
    Sending sending() override;
    void close() override;

    bool is_open() const { return node_ != nullptr; }
    // Given when a frame has come, or is sent.
    Wake& wake() { return wake_; }

    static constexpr size_t kFrames = 256;
    static constexpr Millis kRecoveryPause = 200;

  private:
    struct Slot {
        uint32_t id;
        uint8_t size;
        uint8_t flags;
        uint8_t data[kClassicCanData];
    };
    struct Outgoing {
        twai_frame_t frame{};
        std::array<uint8_t, kClassicCanData> data{};
    };

    static bool on_received(twai_node_handle_t node, const twai_rx_done_event_data_t* event,
                            void* self);
    static bool on_sent(twai_node_handle_t node, const twai_tx_done_event_data_t* event,
                        void* self);
    static bool on_state(twai_node_handle_t node, const twai_state_change_event_data_t* event,
                         void* self);
    void recover();

    Clock& clock_;
    Wake wake_;
    twai_node_handle_t node_ = nullptr;
    IsrRing<Slot, kFrames> ring_;
    // Of the frame that the driver has; the interrupt ends it.
    std::atomic<uint32_t> sending_{static_cast<uint32_t>(Sending::kSent)};
    std::atomic<uintptr_t> awaited_{0};  // which frame that is
    std::atomic<uint32_t> is_off_{0};
    std::atomic<uint32_t> offs_{0};  // how often it went
    uint32_t offs_seen_ = 0;
    bool is_recovering_ = false;
    Millis off_since_ = 0;
    // A frame is the driver's until it is sent. Nobody may acknowledge it: then one stays with the
    // controller, one in the driver's queue, and the third is what is offered in vain.
    std::array<Outgoing, 3> outgoing_;
    size_t next_ = 0;
};

}  // namespace ota
