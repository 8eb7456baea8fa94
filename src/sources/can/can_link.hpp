// One tester on a CAN bus: frames to messages to the UDS server, and back.
#pragma once

#include "ports/can_bus.hpp"
#include "sources/can/uds_server.hpp"
#include "wire/isotp.hpp"

namespace ota {

// What the bus has to bear. Frames of the tester come with gaps, so that they take no more of the
// bus than load percent; 100: without gaps. ISO-TP's STmin.
uint8_t separation_for(uint32_t bitrate, uint8_t load);

class CanLink {
  public:
    struct Config {
        IsoTpAddress address;
        bool is_fd = false;
        uint8_t block_size = 8;  // frames to a flow control; 0: no limit
        uint8_t separation = 0;  // STmin
    };
    CanLink(CanBus& bus, UdsServer& server, Clock& clock, const Config& config);

    // Takes what has come, so many frames at most, and sends what is due. Returns how many came.
    size_t poll(size_t most);
    // A message is on its way, or a request in hand: timers of a millisecond are about. Otherwise
    // there are those of a session alone, seconds long.
    bool is_busy() const;
    // STmin of the tester's frames from now on.
    void ask_separation(uint8_t separation) { link_.ask_separation(separation); }

  private:
    void take(const CanFrame& frame);
    void follow(IsoTpLink::Event event);
    void follow_frame();
    void send();

    CanBus& bus_;
    UdsServer& server_;
    Clock& clock_;
    const std::optional<uint32_t> functional_id_;
    std::array<uint8_t, uds::kBlockLength> received_{};
    std::array<uint8_t, kFdCanData> functional_{};
    std::array<uint8_t, UdsServer::kLongestAnswer> answer_{};
    IsoTpLink link_;
    bool is_frame_out_ = false;
};

}  // namespace ota
