// The specification's state machine as one table.
#pragma once

#include <array>

#include "ports/events.hpp"
#include "ports/mailbox.hpp"

namespace ota {

inline constexpr uint16_t state_bit(State state) {
    return static_cast<uint16_t>(1U << static_cast<unsigned>(state));
}

struct CommandRule {
    CommandKind command;
    uint16_t states;    // bits of the states in which it is accepted
    bool during_trial;  // accepted while the running image is unconfirmed
};

inline constexpr uint16_t kRestStates =
    state_bit(State::kIdle) | state_bit(State::kFailed) | state_bit(State::kAborted);
// In CHECKING, check is under way already and start_update goes on with what it finds.
inline constexpr uint16_t kCheckStates =
    kRestStates | state_bit(State::kChecking) | state_bit(State::kUpdateAvailable);
inline constexpr uint16_t kAllStates = (1U << kStateCount) - 1;

inline constexpr std::array<CommandRule, 10> kCommandRules = {{
    {CommandKind::kCheck, kCheckStates, false},
    {CommandKind::kStartUpdate, kCheckStates, false},
    {CommandKind::kApply, state_bit(State::kReadyToApply), false},
    {CommandKind::kAbort,
     state_bit(State::kChecking) | state_bit(State::kUpdateAvailable) |
         state_bit(State::kDownloading) | state_bit(State::kVerifying) |
         state_bit(State::kReadyToApply) | state_bit(State::kApplying),
     false},
    {CommandKind::kConfirm, kRestStates, true},
    {CommandKind::kRollback, kRestStates, true},
    {CommandKind::kSetThresholds, kAllStates, true},
    {CommandKind::kStop, kAllStates, true},
    {CommandKind::kPush, kRestStates, false},
    {CommandKind::kJudge, kAllStates, true},
}};

// Confirm is meaningful during a trial alone.
constexpr bool accepts(State state, CommandKind command, bool trial) {
    if (command == CommandKind::kConfirm && !trial) return false;
    for (const CommandRule& rule : kCommandRules) {
        if (rule.command != command) continue;
        return (rule.states & state_bit(state)) != 0 && (!trial || rule.during_trial);
    }
    return false;
}

// Where each state may lead. Indexed by the state that is left.
inline constexpr std::array<uint16_t, kStateCount> kTransitions = {
    /* idle */ state_bit(State::kChecking) | state_bit(State::kVerifying) |
        state_bit(State::kRebooting) | state_bit(State::kFailed),
    /* checking */ state_bit(State::kIdle) | state_bit(State::kUpdateAvailable) |
        state_bit(State::kFailed) | state_bit(State::kAborted),
    /* update available */ state_bit(State::kDownloading) | state_bit(State::kChecking) |
        state_bit(State::kFailed) | state_bit(State::kAborted),
    /* downloading */ state_bit(State::kVerifying) | state_bit(State::kFailed) |
        state_bit(State::kAborted),
    /* verifying */ state_bit(State::kReadyToApply) | state_bit(State::kFailed) |
        state_bit(State::kAborted),
    /* ready to apply */ state_bit(State::kApplying) | state_bit(State::kAborted),
    /* applying */ state_bit(State::kComplete) | state_bit(State::kFailed) |
        state_bit(State::kAborted),
    /* complete */ state_bit(State::kRebooting) | state_bit(State::kIdle),
    /* rebooting */ 0,
    /* failed */ state_bit(State::kChecking) | state_bit(State::kRebooting) |
        state_bit(State::kFailed),
    /* aborted */ state_bit(State::kChecking) | state_bit(State::kRebooting) |
        state_bit(State::kFailed),
};

constexpr bool may_follow(State from, State to) {
    return (kTransitions[static_cast<size_t>(from)] & state_bit(to)) != 0;
}

}  // namespace ota
