#include "engine/state_machine.hpp"

#include "ports/backoff.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

constexpr std::array<State, kStateCount> kStates = {
    State::kIdle,      State::kChecking,     State::kUpdateAvailable, State::kDownloading,
    State::kVerifying, State::kReadyToApply, State::kApplying,        State::kComplete,
    State::kRebooting, State::kFailed,       State::kAborted};

// The whole table once more, by hand: a row a state, a column a command.
//                                         check  start  apply  abort  confirm rollback thresholds
//                                         stop push
constexpr bool kAccepted[kStateCount][9] = {
    /* IDLE             */ {true, true, false, false, false, true, true, true, true},
    /* CHECKING         */ {true, true, false, true, false, false, true, true, false},
    /* UPDATE_AVAILABLE */ {true, true, false, true, false, false, true, true, false},
    /* DOWNLOADING      */ {false, false, false, true, false, false, true, true, false},
    /* VERIFYING        */ {false, false, false, true, false, false, true, true, false},
    /* READY_TO_APPLY   */ {false, false, true, true, false, false, true, true, false},
    /* APPLYING         */ {false, false, false, true, false, false, true, true, false},
    /* COMPLETE         */ {false, false, false, false, false, false, true, true, false},
    /* REBOOTING        */ {false, false, false, false, false, false, true, true, false},
    /* FAILED           */ {true, true, false, false, false, true, true, true, true},
    /* ABORTED          */ {true, true, false, false, false, true, true, true, true},
};
constexpr std::array<CommandKind, 9> kCommands = {
    CommandKind::kCheck,         CommandKind::kStartUpdate, CommandKind::kApply,
    CommandKind::kAbort,         CommandKind::kConfirm,     CommandKind::kRollback,
    CommandKind::kSetThresholds, CommandKind::kStop,        CommandKind::kPush};

TEST(StateMachine, EveryStateTimesEveryCommand) {
    for (size_t s = 0; s < kStates.size(); ++s) {
        for (size_t c = 0; c < kCommands.size(); ++c) {
            EXPECT_EQ(accepts(kStates[s], kCommands[c], false), kAccepted[s][c]) << s << " " << c;
        }
    }
}

TEST(StateMachine, DuringATrialNothingNewBegins) {
    for (const State state : kStates) {
        for (const CommandKind command :
             {CommandKind::kCheck, CommandKind::kStartUpdate, CommandKind::kApply,
              CommandKind::kAbort, CommandKind::kPush}) {
            EXPECT_FALSE(accepts(state, command, true));
        }
    }
    EXPECT_TRUE(accepts(State::kIdle, CommandKind::kConfirm, true));
    EXPECT_TRUE(accepts(State::kIdle, CommandKind::kRollback, true));
}

TEST(StateMachine, TheStraightWayThrough) {
    constexpr std::array<State, 9> kFlow = {
        State::kIdle,        State::kChecking,  State::kUpdateAvailable,
        State::kDownloading, State::kVerifying, State::kReadyToApply,
        State::kApplying,    State::kComplete,  State::kRebooting};
    for (size_t i = 0; i + 1 < kFlow.size(); ++i)
        EXPECT_TRUE(may_follow(kFlow[i], kFlow[i + 1])) << i;
    EXPECT_FALSE(may_follow(State::kDownloading, State::kApplying));
    EXPECT_FALSE(may_follow(State::kComplete, State::kAborted));
    for (const State state : kStates) EXPECT_FALSE(may_follow(State::kRebooting, state));
}

TEST(Backoff, DoublesUpToTheCapWithJitter) {
    Backoff backoff(1000, 8000);
    backoff.seed(42);
    Millis expected = 1000;
    bool varied = false;
    for (int i = 0; i < 12; ++i) {
        const Millis delay = backoff.next();
        EXPECT_GE(delay, expected * 3 / 4);
        EXPECT_LE(delay, expected * 5 / 4 + 1);
        varied = varied || delay != expected;
        expected = std::min<Millis>(expected * 2, 8000);
    }
    EXPECT_TRUE(varied);
    backoff.reset();
    EXPECT_LE(backoff.next(), 1251U);
}

}  // namespace
}  // namespace ota
