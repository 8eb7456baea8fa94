// Modbus: frames as they come on both kinds of line, and requests to a server with a session.
#include <cstdint>
#include <cstdlib>

#include "linux/clock_virtual.hpp"
#include "sources/modbus/modbus_gate.hpp"
#include "sources/modbus/modbus_server.hpp"
#include "wire/modbus_frame.hpp"

namespace {

using namespace ota;

void require(bool condition) {
    if (!condition) std::abort();
}

class RestingEngine final : public EngineView {
  public:
    EngineSnapshot snapshot() const override { return {}; }
    bool would_accept(CommandKind) const override { return true; }
};

class Bin final : public Mailbox {
  public:
    Status post(const Command&) override { return {}; }
    Result<bool> take(Command&, Millis) override { return false; }
};

struct Server {
    VirtualClock clock;
    RestingEngine engine;
    Bin bin;
    AccessDoor door;
    PushWindow window;
    PushDesk desk{window, {engine, bin, clock}};
    ModbusServer server{{1, 0, "serial", "hardware", true}, desk, door, bin, clock};
};

void ask(Server& server, Bytes request) {
    std::array<uint8_t, kModbusPdu> answer{};
    const size_t size = server.server.answer(request, {1, false, true}, answer);
    require(request.empty() ? size == 0 : size >= 2 && size <= answer.size());
    require(request.empty() || (answer[0] & 0x7F) == (request[0] & 0x7F));
    server.desk.poll();
    PushOffer offer;
    (void)server.window.take(offer);
    std::array<uint8_t, 512> read{};
    if (server.window.is_taken()) (void)server.window.read(read, false);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const Bytes all{data, size};
    MbapReader stream;
    RtuReader line;
    Server server;
    server.door.remove();
    // The first byte of each piece is its length.
    for (size_t at = 0; at < size;) {
        const size_t length = std::min<size_t>(data[at], size - at - 1);
        const Bytes piece = all.subspan(at + 1, length);
        at += 1 + length;
        ask(server, piece);
        require(!is_for_update_block(piece, 8000) || !piece.empty());
        MutableBytes room = stream.room();
        require(!room.empty());
        const size_t taken = std::min(room.size(), piece.size());
        std::copy_n(piece.begin(), taken, room.begin());
        stream.filled(taken);
        MbapReader::Frame frame;
        MbapReader::Found found;
        while ((found = stream.next(frame)) == MbapReader::Found::kRequest) {
            require(frame.pdu.size() <= kModbusRequest);
            ask(server, frame.pdu);
        }
        if (found == MbapReader::Found::kBroken) stream.clear();
        line.feed(piece);
        RtuReader::Frame on_line;
        if (line.end(1, on_line)) require(on_line.pdu.size() + 3 <= kModbusRtuFrame);
    }
    return 0;
}
