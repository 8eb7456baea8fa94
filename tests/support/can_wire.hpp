// A CAN bus between nodes in one thread: frames take their time, and may be lost.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "linux/clock_virtual.hpp"
#include "ports/can_bus.hpp"

namespace test {

class CanWire;

class CanNode final : public ota::CanBus {
  public:
    explicit CanNode(CanWire& wire);
    ota::Status open(const ota::CanConfig&) override { return {}; }
    ota::Result<bool> receive(ota::CanFrame& out) override {
        if (incoming.empty()) return false;
        out = incoming.front();
        incoming.pop_front();
        return true;
    }
    ota::Status send(const ota::CanFrame& frame) override;
    Sending sending() override { return state; }
    void close() override {}

    std::deque<ota::CanFrame> incoming;
    size_t depth = SIZE_MAX;  // of the receive queue; what comes beyond is lost
    uint64_t lost = 0;
    std::optional<ota::CanFrame> outgoing;
    Sending state = Sending::kSent;

  private:
    CanWire& wire_;
};

// Arbitration, one frame at a time, with the length that a frame really has.
class CanWire {
  public:
    CanWire(ota::VirtualClock& clock, uint32_t bitrate, uint32_t data_bitrate = 0)
        : clock_(clock), bitrate_(bitrate), data_bitrate_(data_bitrate) {}

    // ISO 11898-1: bits on the wire with an average of stuff bits, interframe space included.
    uint64_t micros_of(const ota::CanFrame& frame) const {
        const uint64_t data = uint64_t{8} * frame.size;
        if (!frame.is_fd) {
            const uint64_t fixed = frame.is_29_bit ? 67 : 47;
            const uint64_t stuff = ((frame.is_29_bit ? 54 : 34) + data) / 34;
            return (fixed + data + stuff) * 1000000 / bitrate_;
        }
        const uint64_t arbitration = frame.is_29_bit ? 49 : 30;
        const uint64_t crc = frame.size > 16 ? 31 : 26;
        return arbitration * 1000000 / bitrate_ +
               (data + crc + data / 34 + 3) * 1000000 / data_bitrate_;
    }
    void attach(CanNode& node) { nodes_.push_back(&node); }
    // Ends the frame that is on the wire when its time is over, and begins the next.
    void run() {
        if (is_off) return;
        if (busy_ && clock_.micros() >= ends_at_) finish();
        if (!busy_) begin();
    }
    // When run() has something to do; UINT64_MAX: when somebody sends.
    uint64_t due() const {
        if (is_off) return UINT64_MAX;
        if (busy_) return ends_at_;
        for (const CanNode* node : nodes_) {
            if (node->outgoing) return clock_.micros();
        }
        return UINT64_MAX;
    }
    // Of each frame: is it lost?
    std::function<bool(const ota::CanFrame&)> loses = [](const ota::CanFrame&) { return false; };
    // Nothing gets through: cut, shorted, or every controller on it has gone bus-off.
    bool is_off = false;
    uint64_t frames = 0;
    uint64_t busy_micros = 0;

  private:
    void begin() {
        CanNode* best = nullptr;
        for (CanNode* node : nodes_) {
            if (node->outgoing && (best == nullptr || wins(*node->outgoing, *best->outgoing))) {
                best = node;
            }
        }
        if (best == nullptr) return;
        busy_ = true;
        sender_ = best;
        const uint64_t time = micros_of(*best->outgoing);
        busy_micros += time;
        ends_at_ = clock_.micros() + time;
    }
    // The eleven leading bits decide first; a base frame beats an extended one of the same.
    static bool wins(const ota::CanFrame& a, const ota::CanFrame& b) {
        const auto key = [](const ota::CanFrame& f) {
            return f.is_29_bit ? uint64_t{f.id >> 18} << 32 | 1ULL << 31 | (f.id & 0x3FFFF)
                               : uint64_t{f.id} << 32;
        };
        return key(a) < key(b);
    }
    void finish() {
        const ota::CanFrame frame = *sender_->outgoing;
        sender_->outgoing.reset();
        sender_->state = ota::CanBus::Sending::kSent;
        busy_ = false;
        ++frames;
        if (loses(frame)) return;
        for (CanNode* node : nodes_) {
            if (node == sender_) continue;
            if (node->incoming.size() < node->depth) {
                node->incoming.push_back(frame);
            } else {
                ++node->lost;
            }
        }
    }

    ota::VirtualClock& clock_;
    uint32_t bitrate_;
    uint32_t data_bitrate_;
    std::vector<CanNode*> nodes_;
    bool busy_ = false;
    CanNode* sender_ = nullptr;
    uint64_t ends_at_ = 0;
};

inline CanNode::CanNode(CanWire& wire) : wire_(wire) {
    wire_.attach(*this);
}

inline ota::Status CanNode::send(const ota::CanFrame& frame) {
    if (outgoing) return {ota::Code::kBusy, ota::Origin::kPlatform};
    outgoing = frame;
    state = Sending::kUnderWay;
    return {};
}

}  // namespace test
