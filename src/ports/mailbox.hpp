#pragma once

#include "base/status.hpp"
#include "ports/clock.hpp"
#include "ports/source.hpp"

namespace ota {

// What other tasks ask of the engine.
enum class CommandKind : uint8_t {
    kCheck,
    kStartUpdate,
    kApply,
    kAbort,
    kConfirm,
    kRollback,
    kSetThresholds,
    kStop,
    kPush,
    kJudge,  // the proof that a peer gave at the door
};

struct SafetyThresholds {
    int32_t min_soc_percent = 30;
    int32_t max_temperature_millicelsius = 45000;
    int32_t min_temperature_millicelsius = 0;
    int32_t max_current_milliampere = 10000;
};

struct Command {
    CommandKind kind = CommandKind::kCheck;
    SafetyThresholds thresholds;              // with kSetThresholds
    SourceKind source = SourceKind::kModbus;  // with kPush: whose peer has opened a package
};

class Mailbox {
  public:
    // Any context. kNoSpace when full; nothing is ever dropped silently.
    virtual Status post(const Command& command) = 0;
    // Engine context. True when a command was taken within max_wait.
    virtual Result<bool> take(Command& command, Millis max_wait) = 0;

  protected:
    ~Mailbox() = default;
};

}  // namespace ota
