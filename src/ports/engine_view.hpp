// What the engine lets other tasks see of it.
#pragma once

#include "ports/events.hpp"
#include "ports/mailbox.hpp"

namespace ota {

// A loss of power takes less than this of what was received (decision 0006).
inline constexpr uint32_t kDurableUnit = 4096;

// What other tasks may read of the engine at any time.
struct EngineSnapshot {
    State state = State::kIdle;
    bool trial = false;
    bool paused = false;
    uint32_t rounds = 0;  // that looked for a package, whoever asked
    uint32_t error = 0;   // Status word of the last failure, kept until the next start
    int32_t reading = 0;  // reading and limit behind a kUnsafe error or the pause
    int32_t limit = 0;
    uint32_t received = 0;      // bytes
    uint32_t total = 0;         // bytes, 0 = unknown
    uint32_t durable = 0;       // bytes of the package that a loss of power does not take
    Digest held{};              // the pushed package that flash holds a part of; zero = none
    uint16_t interlock = 0;     // what keeps an update from moving now, see InterlockBit
    bool at_rest = false;       // the battery carries no current worth speaking of
    uint32_t offered_size = 0;  // the offered package; version empty = none
    char offered_version[33] = {};
    char offered_notes[129] = {};  // untrusted text of the publisher
    char running_version[33] = {};
    uint32_t running_secure_version = 0;
    char report_version[33] = {};  // the latest update that ended
    char report_probe[25] = {};
    UpdateStage report_stage = UpdateStage::kNone;
    RevertReason report_reason = RevertReason::kNone;
    AttemptRecord attempt;  // the latest, with what became of its image
    SlotId running = kNoSlot;
    SlotId boot = kNoSlot;
    uint32_t running_state = 0;  // otadata state of the running slot
};

// Of the package in hand, 0.1 %.
inline uint16_t progress_permille(const EngineSnapshot& now) {
    if (is_staged(now.state)) return 1000;
    if (now.total == 0) return 0;
    return static_cast<uint16_t>(
        std::min<uint64_t>(uint64_t{now.received} * 1000 / now.total, 1000));
}

class EngineView {
  public:
    // Any context. What was published last; never waits.
    virtual EngineSnapshot snapshot() const = 0;
    // Any context: would the engine take this command now?
    virtual bool would_accept(CommandKind command) const = 0;

  protected:
    ~EngineView() = default;
};

}  // namespace ota
