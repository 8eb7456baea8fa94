// Packages for the module boards behind the controller.
#include "engine/components_bench.hpp"

namespace ota {
namespace {

const Buffer kBoardImage = filled(9000, 5);

TEST(BoardsUpdate, OneImageReachesEachBoardAndNothingRestarts) {
    ComponentsBench device;
    device.offer(test::boards_package(kBoardImage, 3, 100));
    ASSERT_EQ(device.start(), Detail::kNone);
    EXPECT_EQ(device.boards.installations, 0U);
    EXPECT_EQ(device.apply(), State::kIdle);
    for (const auto& board : device.boards.boards) EXPECT_TRUE(board.holds == kBoardImage);
    EXPECT_FALSE(device.restart_requested());
    EXPECT_EQ(device.events.last(State::kComplete) != nullptr, true);
    const AttemptRecord& attempt = device.manager().snapshot().attempt;
    EXPECT_EQ(attempt.outcome, Outcome::kConfirmed);
    EXPECT_EQ(device.outcome_of(ComponentKind::kStage), ComponentOutcome::kWritten);
    EXPECT_EQ(device.outcome_of(ComponentKind::kModule, 3), ComponentOutcome::kWritten);
    EXPECT_EQ(device.manager().snapshot().report_stage, UpdateStage::kConfirmed);
    // The same again is nothing new; nor after a restart.
    EXPECT_EQ(device.start(), Detail::kVersionSame);
    ASSERT_TRUE(device.boot());
    EXPECT_EQ(device.manager().snapshot().attempt.outcome, Outcome::kConfirmed);
    EXPECT_EQ(device.manager().snapshot().attempt.components.size(), 4U);
    EXPECT_EQ(device.start(), Detail::kVersionSame);
}

TEST(BoardsUpdate, RunAgainSkipsWhatIsDone) {
    ComponentsBench device;
    device.offer(test::boards_package(kBoardImage, 3, 100));
    device.boards.boards[1].refusal = {Code::kRefused, Origin::kModules, Detail::kBoardFailed};
    ASSERT_EQ(device.start(), Detail::kNone);
    EXPECT_EQ(device.apply(), State::kFailed);
    EXPECT_EQ(device.last_detail(), Detail::kBoardFailed);
    EXPECT_EQ(device.outcome_of(ComponentKind::kModule, 1), ComponentOutcome::kWritten);
    EXPECT_EQ(device.outcome_of(ComponentKind::kModule, 2), ComponentOutcome::kFailed);
    EXPECT_EQ(device.outcome_of(ComponentKind::kModule, 3), ComponentOutcome::kNotReached);
    EXPECT_EQ(device.boards.installations, 1U);
    // The package is not to blame: it is taken again, and fetched no more than its prefix.
    device.boards.boards[1].refusal = {};
    device.source.bytes_read = 0;
    ASSERT_EQ(device.start(), Detail::kNone);
    EXPECT_LE(device.source.bytes_read, kMaxEnvelopePrefix);
    EXPECT_EQ(device.apply(), State::kIdle);
    EXPECT_EQ(device.boards.installations, 3U);
    EXPECT_EQ(device.outcome_of(ComponentKind::kStage), ComponentOutcome::kHeldAlready);
    EXPECT_EQ(device.outcome_of(ComponentKind::kModule, 1), ComponentOutcome::kHeldAlready);
    EXPECT_EQ(device.outcome_of(ComponentKind::kModule, 2), ComponentOutcome::kWritten);
}

TEST(BoardsUpdate, DeadBoardEndsTheAttemptInTime) {
    ComponentsBench device;
    device.offer(test::boards_package(kBoardImage, 2, 100));
    device.boards.boards[0].dead = true;
    ASSERT_EQ(device.start(), Detail::kNone);
    const Millis before = device.clock.now();
    EXPECT_EQ(device.apply(), State::kFailed);
    EXPECT_EQ(device.last_detail(), Detail::kBoardSilent);
    EXPECT_LE(device.clock.now() - before, 3700000U);
    EXPECT_GE(device.boards.aborts, 1U);
    device.boards.boards[0].dead = false;
    ASSERT_EQ(device.start(), Detail::kNone);
    EXPECT_EQ(device.apply(), State::kIdle);
}

// Who is dead or says no keeps nobody else from it; the whole has failed all the same.
TEST(BoardsUpdate, DeadBoardIsPassedOver) {
    ComponentsBench device;
    device.offer(test::boards_package(kBoardImage, 3, 100));
    device.boards.boards[0].refusal = {Code::kTimeout, Origin::kModules, Detail::kBoardSilent};
    device.boards.boards[1].refusal = {Code::kRefused, Origin::kModules, Detail::kBoardRefused};
    ASSERT_EQ(device.start(), Detail::kNone);
    EXPECT_EQ(device.apply(), State::kFailed);
    EXPECT_EQ(device.last_detail(), Detail::kBoardSilent);
    EXPECT_EQ(device.outcome_of(ComponentKind::kModule, 1), ComponentOutcome::kFailed);
    EXPECT_EQ(device.outcome_of(ComponentKind::kModule, 2), ComponentOutcome::kFailed);
    EXPECT_EQ(device.outcome_of(ComponentKind::kModule, 3), ComponentOutcome::kWritten);
    device.boards.boards[0].refusal = device.boards.boards[1].refusal = {};
    ASSERT_EQ(device.start(), Detail::kNone);
    EXPECT_EQ(device.apply(), State::kIdle);
    EXPECT_EQ(device.boards.installations, 3U);
}

TEST(BoardsUpdate, QuorumIsEnoughAndTheRestMayFollow) {
    ComponentsBench device;
    device.settings.boards.quorum = 2;
    ASSERT_TRUE(device.boot());
    device.offer(test::boards_package(kBoardImage, 3, 100));
    device.boards.boards[1].refusal = {Code::kTimeout, Origin::kModules, Detail::kBoardSilent};
    ASSERT_EQ(device.start(), Detail::kNone);
    EXPECT_EQ(device.apply(), State::kIdle);
    EXPECT_EQ(device.manager().snapshot().attempt.outcome, Outcome::kConfirmed);
    EXPECT_EQ(device.outcome_of(ComponentKind::kModule, 2), ComponentOutcome::kFailed);
    // The same package again is for the one that is left; then it is nothing new.
    device.boards.boards[1].refusal = {};
    ASSERT_TRUE(device.boot());
    ASSERT_EQ(device.start(), Detail::kNone);
    EXPECT_EQ(device.apply(), State::kIdle);
    EXPECT_EQ(device.boards.installations, 3U);
    EXPECT_TRUE(device.boards.boards[1].holds == kBoardImage);
    EXPECT_EQ(device.start(), Detail::kVersionSame);
}

TEST(BoardsUpdate, WhatIsLeftIsTakenUpAlsoAfterAnInterruption) {
    ComponentsBench device;
    device.settings.boards.quorum = 2;
    ASSERT_TRUE(device.boot());
    device.offer(test::boards_package(kBoardImage, 3, 100));
    device.boards.boards[1].refusal = {Code::kTimeout, Origin::kModules, Detail::kBoardSilent};
    ASSERT_EQ(device.start(), Detail::kNone);
    ASSERT_EQ(device.apply(), State::kIdle);
    // Once more, and power is lost.
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.post(CommandKind::kApply);
    (void)device.run_until([] { return false; }, 50);
    device.boards.boards[1].refusal = {};
    ASSERT_TRUE(device.boot(ResetReason::kBrownout));
    device.boards.abort();
    ASSERT_EQ(device.start(), Detail::kNone);
    EXPECT_EQ(device.apply(), State::kIdle);
    EXPECT_TRUE(device.boards.boards[1].holds == kBoardImage);
    EXPECT_EQ(device.start(), Detail::kVersionSame);
}

// A cable that is off silences all boards: that is one failed attempt, not five.
TEST(BoardsUpdate, SilentBoardsOfOneAttemptCountOnce) {
    ComponentsBench device;
    device.settings.automatic_update = true;
    device.settings.check_interval_ms = 60000;
    ASSERT_TRUE(device.boot());
    device.offer(test::boards_package(kBoardImage, 3, 100));
    for (auto& board : device.boards.boards) {
        board.refusal = {Code::kTimeout, Origin::kModules, Detail::kBoardSilent};
    }
    (void)device.run_until([&] { return device.events.last(State::kFailed) != nullptr; }, 600000);
    (void)device.run_until([] { return false; }, 1000);
    for (auto& board : device.boards.boards) board.refusal = {};
    (void)device.run_until([&] { return device.boards.installations == 3; }, 3600000);
    EXPECT_EQ(device.boards.installations, 3U);
}

TEST(BoardsUpdate, FailureOfAChangedBoardStopsUnlessTheOwnerSaysOtherwise) {
    for (const bool stops : {true, false}) {
        ComponentsBench device;
        device.settings.boards = {1, stops};
        ASSERT_TRUE(device.boot());
        device.offer(test::boards_package(kBoardImage, 3, 100));
        device.boards.boards[0].refusal = {Code::kTimeout, Origin::kModules, Detail::kBoardLost};
        ASSERT_EQ(device.start(), Detail::kNone);
        EXPECT_EQ(device.apply(), stops ? State::kFailed : State::kIdle);
        EXPECT_EQ(device.boards.installations, stops ? 0U : 2U);
    }
}

TEST(BoardsUpdate, NextBoardIsToldAsLongAsThereIsOne) {
    ComponentsBench device;
    device.offer(test::boards_package(kBoardImage, 3, 100));
    device.boards.boards[1].holds = kBoardImage;
    ASSERT_EQ(device.start(), Detail::kNone);
    EXPECT_EQ(device.apply(), State::kIdle);
    EXPECT_EQ(device.boards.next, (std::vector<uint8_t>{2, 0}));
}

TEST(BoardsUpdate, RedGateStopsBetweenBoards) {
    ComponentsBench device;
    device.offer(test::boards_package(kBoardImage, 3, 100));
    for (auto& board : device.boards.boards) board.slow = 50;
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.post(CommandKind::kApply);
    ASSERT_TRUE(device.run_until([&] { return device.boards.installations == 1; }));
    device.battery.values.current_milliampere = 20000;
    ASSERT_TRUE(device.run_until([&] { return device.manager().snapshot().paused; }));
    const uint32_t at = device.boards.installations;
    EXPECT_GE(device.boards.aborts, 1U);
    (void)device.run_until([] { return false; }, 60000);
    EXPECT_EQ(device.boards.installations, at);
    device.battery.values.current_milliampere = 0;
    ASSERT_TRUE(device.run_to(State::kIdle));
    for (const auto& board : device.boards.boards) EXPECT_TRUE(board.holds == kBoardImage);
}

TEST(BoardsUpdate, PowerLostAtABoardIsTakenUp) {
    ComponentsBench device;
    device.offer(test::boards_package(kBoardImage, 3, 100));
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.post(CommandKind::kApply);
    ASSERT_TRUE(device.run_until([&] { return device.boards.installations == 2; }));
    ASSERT_TRUE(device.boot(ResetReason::kBrownout));
    device.boards.abort();
    EXPECT_EQ(device.manager().snapshot().attempt.outcome, Outcome::kInterrupted);
    ASSERT_EQ(device.start(), Detail::kNone);
    EXPECT_EQ(device.apply(), State::kIdle);
    EXPECT_EQ(device.boards.installations, 3U);
}

TEST(BoardsUpdate, BoardOfAnotherClassOrOneThatIsNotThere) {
    ComponentsBench device;
    test::PackageSpec other = test::boards_package(kBoardImage, 2, 100);
    other.components[2].class_id = 0x22;
    device.offer(other);
    const uint64_t before = device.flash.operations();
    EXPECT_EQ(device.start(), Detail::kClassId);
    device.offer(test::boards_package(kBoardImage, 4, 100));
    EXPECT_EQ(device.start(), Detail::kComponentUnknown);
    EXPECT_EQ(device.flash.operations(), before);
}

// What a board is and holds says nothing about the package.
TEST(BoardsUpdate, BoardThatGoesBackIsNotThePackagesFault) {
    ComponentsBench device;
    device.offer(test::boards_package(kBoardImage, 3, 100));
    device.boards.boards[1].forgets = true;
    ASSERT_EQ(device.start(), Detail::kNone);
    EXPECT_EQ(device.apply(), State::kFailed);
    EXPECT_EQ(device.outcome_of(ComponentKind::kModule, 2), ComponentOutcome::kFailed);
    device.boards.boards[1].forgets = false;
    device.settings.automatic_update = true;
    ASSERT_TRUE(device.boot());
    (void)device.post(CommandKind::kCheck);
    ASSERT_TRUE(device.run_until([&] { return device.events.last(State::kComplete) != nullptr; }));
    ASSERT_TRUE(device.run_to(State::kIdle));
    EXPECT_TRUE(device.boards.boards[1].holds == kBoardImage);
    EXPECT_EQ(device.manager().snapshot().attempt.outcome, Outcome::kConfirmed);
}

TEST(BoardsUpdate, FailingBoardIsLeftAloneForADay) {
    ComponentsBench device;
    device.settings.automatic_update = true;
    device.settings.check_interval_ms = 3600000;
    ASSERT_TRUE(device.boot());
    device.offer(test::boards_package(kBoardImage, 1, 100));
    device.boards.boards[0].forgets = true;
    (void)device.run_until([] { return false; }, 7ULL * 86400000);
    EXPECT_LE(device.boards.installations, 5U + 7U);
    // Who asks is served.
    const uint32_t before = device.boards.installations;
    EXPECT_EQ(device.start(), Detail::kBoardFailed);
    EXPECT_EQ(device.boards.installations, before + 1);
}

TEST(BoardsUpdate, BadImageForBoardsCostsNoFallback) {
    ComponentsBench device;
    device.source.package = test::make_suit(SuitBench::spec_of("1.1.0", 90));
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.apply();
    ASSERT_TRUE(device.restart_and_settle());
    test::PackageSpec bad = test::boards_package(kBoardImage, 3, 100);
    bad.payloads[0][5000] ^= 1;
    device.offer(bad);
    EXPECT_EQ(device.start(), Detail::kImageDigest);
    EXPECT_EQ(device.outcome_of(ComponentKind::kStage), ComponentOutcome::kFailed);
    (void)device.post(CommandKind::kRollback);
    EXPECT_TRUE(device.run_until([&] { return device.restart_requested(); }, 10000));
}

TEST(BoardsUpdate, NoBoardIsTouchedBeforeApply) {
    ComponentsBench device;
    test::PackageSpec early = test::boards_package(kBoardImage, 3, 100);
    early.fetch.insert(early.fetch.end(), early.install.begin(), early.install.end());
    early.install = {test::select(0), test::kMatch};
    device.offer(early);
    EXPECT_EQ(device.start(), Detail::kCommandPlace);
    EXPECT_EQ(device.boards.installations, 0U);
}

TEST(BoardsUpdate, LongPauseIsNotHeldAgainstTheBoard) {
    ComponentsBench device;
    device.offer(test::boards_package(kBoardImage, 3, 100));
    for (auto& board : device.boards.boards) board.slow = 50;
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.post(CommandKind::kApply);
    ASSERT_TRUE(device.run_until([&] { return device.boards.installations == 1; }));
    for (int i = 0; i < 5; ++i) device.step();
    device.battery.values.current_milliampere = 20000;
    (void)device.run_until([] { return false; }, 2 * 3600000);
    device.battery.values.current_milliampere = 0;
    ASSERT_TRUE(device.run_to(State::kIdle));
}

test::PackageSpec waiting_boards(uint64_t sequence) {
    test::PackageSpec spec = test::boards_package(kBoardImage, 3, sequence);
    const Buffer tonight =
        cbor::wrap(cbor::map({{cbor::number(5), cbor::number(kWednesdayNoon + 40000)}}));
    test::Commands install = {
        test::select(0), {20, cbor::map({{cbor::number(29), tonight}})}, {29, cbor::number(2)}};
    install.insert(install.end(), spec.install.begin(), spec.install.end());
    spec.install = install;
    return spec;
}

// The stage holds the image already, so nothing of this package was ever written.
TEST(BoardsUpdate, WaitIsRememberedAlsoWhenNothingWasFetched) {
    ComponentsBench device;
    device.offer(test::boards_package(kBoardImage, 2, 100));
    ASSERT_EQ(device.start(), Detail::kNone);
    ASSERT_EQ(device.apply(), State::kIdle);
    device.offer(waiting_boards(101));
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.post(CommandKind::kApply);
    (void)device.run_until([] { return false; }, 20000);
    ASSERT_TRUE(device.boot());
    EXPECT_TRUE(device.run_to(State::kApplying, 60000));
    device.clock.set_wall(kWednesdayNoon + 40001);
    ASSERT_TRUE(device.run_to(State::kIdle));
    EXPECT_TRUE(device.boards.boards[2].holds == kBoardImage);
}

TEST(BoardsUpdate, OnlyThePackageThatWaitsIsGoneOnWith) {
    ComponentsBench device;
    device.offer(waiting_boards(101));
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.post(CommandKind::kApply);
    (void)device.run_until([] { return false; }, 20000);
    ASSERT_TRUE(device.boot());
    device.source.package = test::make_suit(SuitBench::spec_of("1.1.0", 102));
    EXPECT_FALSE(device.run_until([&] { return device.restart_requested(); }, 60000));
    EXPECT_EQ(device.state(), State::kUpdateAvailable);
}

// [operator 2: at least, [parts]]
std::pair<int64_t, Buffer> at_least(const std::vector<uint64_t>& version) {
    std::vector<Buffer> parts;
    for (const uint64_t part : version) parts.push_back(cbor::head(0, part));
    return {28, cbor::wrap(cbor::array({cbor::number(2), cbor::array(parts)}))};
}
const std::pair<int64_t, Buffer> kVersionCondition = {28, cbor::number(15)};

// The application 2 needs boards of at least 2; the boards' 2 needs an application of at least 1.
// In whichever order they are offered, and with power lost in between, both arrive.
TEST(FieldCase, C20_dependent_components_never_reach_a_dead_end) {
    const Buffer app2 = image_of("2.0.0");
    for (const bool boards_first : {true, false}) {
        ComponentsBench device;
        test::PackageSpec boards = test::boards_package(kBoardImage, 3, 100);
        boards.components[0].parameters = {at_least({1})};
        boards.components[0].conditions = {kVersionCondition};
        test::PackageSpec app;
        app.sequence = 101;
        app.version = {2, 0, 0};
        app.components = {{.id = {test::id_of("app")}, .content = app2},
                          {.id = {test::id_of("bms"), {1}},
                           .class_id = 0x33,
                           .parameters = {at_least({2})},
                           .conditions = {kVersionCondition}}};
        app.fetch = {test::select(0), test::fetch_from("#p00"), test::kFetchIt, test::kMatch};
        app.install = app.validate = {test::select(0), test::kMatch};
        app.payloads = {app2};
        if (!boards_first) {
            const uint64_t before = device.flash.operations();
            device.offer(app);
            device.source.tag = "\"app\"";
            EXPECT_EQ(device.start(), Detail::kVersionCondition);
            EXPECT_EQ(device.flash.operations(), before);
            // It is looked at again when the boards are newer, also by an automatic check.
            device.boards.boards[0].version = "2.0.0";
            (void)device.post(CommandKind::kCheck);
            EXPECT_TRUE(device.run_to(State::kUpdateAvailable));
            (void)device.post(CommandKind::kAbort);
            ASSERT_TRUE(device.run_to(State::kAborted));
            device.boards.boards[0].version = "1.0.0";
            device.source.tag.clear();
        }
        device.offer(boards);
        ASSERT_EQ(device.start(), Detail::kNone);
        (void)device.post(CommandKind::kApply);
        ASSERT_TRUE(device.run_until([&] { return device.boards.installations == 2; }));
        ASSERT_TRUE(device.boot(ResetReason::kPowerOn));
        device.boards.abort();
        ASSERT_EQ(device.start(), Detail::kNone);
        EXPECT_EQ(device.apply(), State::kIdle);
        device.offer(app);
        ASSERT_EQ(device.start(), Detail::kNone);
        ASSERT_TRUE(device.boot(ResetReason::kPowerOn));
        ASSERT_EQ(device.start(), Detail::kNone);
        (void)device.apply();
        ASSERT_TRUE(device.restart_and_settle());
        EXPECT_TRUE(device.running_version() == "2.0.0");
        for (const auto& board : device.boards.boards) EXPECT_TRUE(board.version == "2.0.0");
    }
}

// One package with both: the boards come first, the application last.
TEST(FieldCase, C20_both_in_one_package) {
    ComponentsBench device;
    const Buffer app2 = image_of("2.0.0");
    test::PackageSpec both = test::boards_package(kBoardImage, 3, 100);
    both.components.push_back({.id = {test::id_of("app")}, .content = app2});
    both.version = {2, 0, 0};
    for (const auto& command :
         {test::select(4), test::fetch_from("#p01"), test::kFetchIt, test::kMatch}) {
        both.fetch.push_back(command);
    }
    both.payloads.push_back(app2);
    device.offer(both);
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.post(CommandKind::kApply);
    ASSERT_TRUE(device.run_until([&] { return device.boards.installations == 2; }));
    ASSERT_TRUE(device.boot(ResetReason::kPowerOn));
    EXPECT_TRUE(device.running_version() == "1.0.0");
    device.boards.abort();
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.apply();
    for (const auto& board : device.boards.boards) EXPECT_TRUE(board.holds == kBoardImage);
    ASSERT_TRUE(device.restart_and_settle());
    EXPECT_TRUE(device.running_version() == "2.0.0");
}

}  // namespace
}  // namespace ota
