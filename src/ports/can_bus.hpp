// A CAN controller, or what stands for one.
#pragma once

#include "base/status.hpp"
#include "ports/can_frame.hpp"

namespace ota {

struct CanConfig {
    const char* interface = nullptr;  // by the name that the platform gives it
    uint32_t bitrate = 500000;
    bool is_fd = false;
    // Of the frames that are wanted, the own ones among them; an adapter may filter. Empty: every
    // frame. Read during open().
    std::span<const uint32_t> identifiers{};
    bool is_29_bit = true;
};

// Link context. No call blocks.
class CanBus {
  public:
    // kUnavailable: no such interface; kOutOfRange: not at this rate, or not with CAN FD.
    virtual Status open(const CanConfig& config) = 0;
    // A frame that has come. False: none.
    virtual Result<bool> receive(CanFrame& out) = 0;
    // Hands a frame over for sending; sending() says what becomes of it. Not more than one at a
    // time, so that nothing of higher priority waits behind it.
    virtual Status send(const CanFrame& frame) = 0;
    enum class Sending : uint8_t { kSent, kUnderWay, kFailed };
    virtual Sending sending() = 0;
    virtual void close() = 0;

  protected:
    ~CanBus() = default;
};

}  // namespace ota
