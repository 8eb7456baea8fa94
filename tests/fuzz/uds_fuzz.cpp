// UDS: requests to a server with and without an open door, as messages and as frames on a bus; and
// lines of a serial CAN adapter.
#include <cstdint>
#include <cstdlib>

#include "linux/clock_virtual.hpp"
#include "sources/can/can_link.hpp"
#include "wire/slcan.hpp"

namespace {

using namespace ota;

void require(bool condition) {
    if (!condition) std::abort();
}

// Takes every package, and is always ready to apply it.
class WillingEngine final : public EngineView {
  public:
    EngineSnapshot snapshot() const override {
        EngineSnapshot out;
        out.state = state;
        return out;
    }
    bool would_accept(CommandKind) const override { return true; }
    State state = State::kIdle;
};

class Bin final : public Mailbox {
  public:
    Status post(const Command&) override { return {}; }
    Result<bool> take(Command&, Millis) override { return false; }
};

class Wire final : public CanBus {
  public:
    Status open(const CanConfig&) override { return {}; }
    Result<bool> receive(CanFrame& out) override {
        if (!frame) return false;
        out = *frame;
        frame.reset();
        return true;
    }
    Status send(const CanFrame& out) override {
        require(out.size <= kFdCanData);
        return {};
    }
    Sending sending() override { return Sending::kSent; }
    void close() override {}
    std::optional<CanFrame> frame;
};

struct Device {
    explicit Device(bool locked) {
        if (!locked) door.remove();
    }
    void turn() {
        clock.advance(20);
        desk.poll();
        server.poll();
        PushOffer offer;
        if (window.take(offer)) engine.state = State::kDownloading;
        std::array<uint8_t, 4096> read{};
        if (window.is_taken()) (void)window.read(read, false);
        const Bytes answer = server.next_answer();
        require(answer.empty() || answer.size() >= 1);
        if (door.wants_challenge()) door.give_challenge({1, 2, 3});
        if (door.asked() != nullptr) door.answer(false);
    }
    VirtualClock clock;
    WillingEngine engine;
    Bin bin;
    AccessDoor door;
    PushWindow window;
    PushDesk desk{window, {engine, bin, clock}};
    UdsServer server{{"serial", "hardware", true}, desk, door, bin, clock};
    Wire wire;
    CanLink link{
        wire, server, clock, {IsoTpAddress::normal_fixed(0x10, 0xF1, 7, 0x33), true, 8, 0}};
};

void put_frame(Device& device, Bytes piece, bool functional) {
    CanFrame frame;
    frame.id = functional ? 0x1CDB33F1 : 0x1CDA10F1;
    frame.is_29_bit = true;
    frame.is_fd = piece.size() > kClassicCanData;
    frame.size = static_cast<uint8_t>(can_size_for(std::min(piece.size(), kFdCanData)));
    std::copy_n(piece.begin(), std::min<size_t>(piece.size(), frame.size), frame.data.begin());
    device.wire.frame = frame;
    (void)device.link.poll(4);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    Device device((data[0] & 1) != 0);
    const bool as_frames = (data[0] & 2) != 0;
    const Bytes all{data, size};
    // The first byte of each piece is its length.
    for (size_t at = 1; at < size;) {
        const size_t length = std::min<size_t>(data[at], size - at - 1);
        const Bytes piece = all.subspan(at + 1, length);
        at += 1 + length;
        if (as_frames) {
            put_frame(device, piece, (data[0] & 4) != 0);
        } else {
            device.server.take(piece, (data[0] & 4) != 0);
        }
        for (int i = 0; i < 3; ++i) device.turn();
        CanFrame frame;
        const std::string_view line(reinterpret_cast<const char*>(piece.data()), piece.size());
        if (parse_slcan(line, frame)) {
            CanFrame again;
            require(parse_slcan(write_slcan(frame).view(), again));
            require(again.id == frame.id && again.size == frame.size && again.data == frame.data);
        }
    }
    return 0;
}
