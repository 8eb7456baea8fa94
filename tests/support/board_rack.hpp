// Twelve module boards on a CAN bus with the controller's side of it: orders go in, and time passes
// until they are answered.
#pragma once

#include <memory>
#include <optional>

#include "api/can_share.hpp"
#include "board.hpp"
#include "install/module_component.hpp"
#include "install/module_link.hpp"
#include "linux/flash_model.hpp"
#include "support/can_wire.hpp"
#include "support/image_factory.hpp"

namespace test {

inline constexpr uint32_t kBoardBitrate = 500000;

class MemoryImage final : public ota::ImageReader {
  public:
    explicit MemoryImage(const Buffer& bytes) : bytes_(bytes) {}
    uint64_t size() const override { return bytes_.size(); }
    ota::Status read_at(uint64_t offset, ota::MutableBytes out) override {
        if (offset + out.size() > bytes_.size()) return {ota::Code::kOutOfRange, {}};
        std::copy_n(bytes_.begin() + static_cast<long>(offset), out.size(), out.begin());
        return {};
    }

  private:
    const Buffer& bytes_;
};

// A board in its seat: what it holds outlives the controller.
struct Seat {
    Seat(ota::VirtualClock& clock, CanWire& wire, const board::Identity& identity,
         const board::Timing& timing = {})
        : node(wire), board(flash, clock, node, identity, timing) {}
    Buffer memory = Buffer(board::kFlashSize, 0xFF);
    ota::FlashModel flash{memory};
    CanNode node;
    board::ModuleBoard board;
};

// What the controller has in RAM.
struct ControllersSide {
    ControllersSide(ota::CanBus& bus, ota::VirtualClock& clock) : share(bus, clock) {
        ota::CanConfig config;
        config.bitrate = kBoardBitrate;
        (void)share.open(config);
        link.emplace(
            std::array{&share.face(ota::CanShare::kBoards), &share.face(ota::CanShare::kNextBoard)},
            clock, exchange, ota::ModuleLink::Config{});
    }
    ota::CanShare share;
    ota::ModuleExchange exchange;
    ota::ModuleComponent component{exchange, 12, 0};
    std::optional<ota::ModuleLink> link;
};

class BoardRack {
  public:
    explicit BoardRack(ota::VirtualClock& clock, uint8_t count = 12, const Buffer& key = {})
        : clock_(clock), wire(clock, kBoardBitrate), controller(wire) {
        for (uint8_t number = 1; number <= count; ++number) {
            board::Identity identity;
            identity.number = number;
            identity.serial = "M00" + std::to_string(number);
            identity.key.assign(key.begin(), key.end());
            seats.push_back(std::make_unique<Seat>(clock, wire, identity));
        }
        restart_controller();
    }
    void restart_controller() {
        controller.incoming.clear();
        controller.outgoing.reset();
        side.emplace(controller, clock_);
    }

    // A piece of time: until something has to be done, half a millisecond at most.
    void tick() {
        const uint64_t others_due = others();
        wire.run();
        side->link->poll();
        (void)side->share.poll();
        for (const auto& seat : seats) {
            if (!seat->flash.is_off()) seat->board.poll();
        }
        const uint64_t now = clock_.micros();
        const uint64_t next = std::min({wire.due(), now + 500, others_due});
        clock_.advance_micros(next > now ? next - now : 1);
    }
    void run_for(ota::Millis time) {
        const uint64_t end = clock_.micros() + time * 1000;
        while (clock_.micros() < end) tick();
    }

    ota::Status install(uint8_t number, const Buffer& image, uint8_t next = 0) {
        MemoryImage reader(image);
        const ota::Digest digest = digest_of(image);
        return ask(
            [&] { return side->component.install(number, next, reader, digest, image.size()); });
    }
    // kNone of both: it did not answer.
    std::optional<bool> holds(uint8_t number, const Buffer& image) {
        std::optional<bool> out;
        (void)ask([&]() -> ota::Status {
            const ota::Result<bool> held =
                side->component.match(number, digest_of(image), image.size());
            if (held.ok()) out = *held;
            return held.status();
        });
        return out;
    }
    std::string version(uint8_t number) {
        ota::VersionText out;
        const ota::Status status = ask([&] { return side->component.version(number, out); });
        return status.ok() ? std::string(out.view()) : std::string();
    }
    template <typename Question>
    ota::Status ask(Question question) {
        const ota::Millis end = clock_.now() + 3600000;
        ota::Status status;
        while ((status = question()).is(ota::Code::kTryAgain) && clock_.now() < end) {
            const ota::Micros next = clock_.micros() + kEngineEach;
            while (clock_.micros() < next) tick();
        }
        return status;
    }
    board::ModuleBoard& board(uint8_t number) { return seats[number - 1U]->board; }
    static ota::Digest digest_of(const Buffer& image) {
        const Buffer bytes = sha256(image);
        ota::Digest out;
        std::copy(bytes.begin(), bytes.end(), out.begin());
        return out;
    }

    // Whoever else is on the bus does its part, and says when it is due again.
    std::function<uint64_t()> others = [] { return UINT64_MAX; };

  private:
    ota::VirtualClock& clock_;

  public:
    CanWire wire;
    CanNode controller;
    std::vector<std::unique_ptr<Seat>> seats;
    std::optional<ControllersSide> side;

  private:
    static constexpr ota::Micros kEngineEach = 5000;
};

}  // namespace test
