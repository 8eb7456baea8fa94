// What a module board remembers over a reset: two images, and which of them runs. Records are
// appended to two sectors in turn, so that a loss of power leaves the last whole one.
#pragma once

#include <array>

#include "ports/flash.hpp"

namespace board {

inline constexpr uint32_t kSlotSize = 0x48000;
inline constexpr uint32_t kFlashSize = 0x10000 + 2 * kSlotSize;
constexpr uint32_t slot_address(uint8_t slot) {
    return 0x10000 + slot * kSlotSize;
}

struct Image {
    ota::Digest digest{};
    uint32_t size = 0;
    bool operator==(const Image&) const = default;
};

struct State {
    std::array<Image, 2> held{};  // whole and checked
    Image named;                  // that is being taken into the other slot
    uint32_t durable = 0;         // bytes of it that a reset does not take
    uint8_t running = 0;
    bool is_armed = false;     // the next start runs the other slot
    bool is_on_trial = false;  // the running one goes back at the next start unless confirmed

    uint8_t other() const { return running ^ 1U; }
};

class StateLog {
  public:
    explicit StateLog(ota::Flash& flash) : flash_(flash) {}
    // The latest whole record; without one the state of a new board.
    State load();
    bool save(const State& state);

  private:
    ota::Flash& flash_;
    uint32_t next_ = 0;  // address
    uint32_t sequence_ = 0;
};

}  // namespace board
