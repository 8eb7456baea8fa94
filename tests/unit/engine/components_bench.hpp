// A device with configuration banks, a stage and three module boards.
#pragma once

#include "engine/suit_bench.hpp"
#include "support/fake_boards.hpp"

namespace ota {

inline constexpr test::DeviceLayout kWithParts = {.config_size = 0x4000, .stage_size = 0x10000};

inline Buffer filled(size_t size, uint8_t seed) {
    Buffer out(size);
    for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(i * 7 + seed);
    return out;
}

struct ComponentsBench : Device {
    explicit ComponentsBench(const test::DeviceLayout& layout = kWithParts) : Device(layout) {
        put_image(0, test::make_signed_of_size("1.0.0", 32 * 1024, 1));
        settings.suit.vendor.fill(0x11);
        settings.suit.class_id.fill(0x22);
        settings.suit.module_class.fill(0x33);
        settings.rollback_timeout_ms = 5000;
        clock.set_wall(kWednesdayNoon);
        boards.boards.resize(3);
        modules = &boards;
        probes.push_back(&probe);
        EXPECT_TRUE(boot());
    }
    void offer(const test::PackageSpec& spec) { source.package = test::make_package(spec); }
    // Where an asked update comes to: READY_TO_APPLY, or a failure.
    Detail start() {
        (void)post(CommandKind::kStartUpdate);
        (void)run_until([&] {
            return mailbox.queue.empty() && (state() == State::kReadyToApply ||
                                             state() == State::kFailed || state() == State::kIdle);
        });
        return state() == State::kReadyToApply ? Detail::kNone : last_detail();
    }
    // From READY_TO_APPLY to where nothing goes on by itself, without a restart.
    State apply() {
        (void)post(CommandKind::kApply);
        (void)run_until(
            [&] {
                return mailbox.queue.empty() &&
                       (restart.requested || state() == State::kIdle || state() == State::kFailed);
            },
            4 * 3600000);
        return state();
    }
    bool restart_and_settle() {
        if (!restart.requested || !boot(ResetReason::kSoftware)) return false;
        (void)run_until([&] { return restart.requested || !manager().snapshot().trial; });
        return !restart.requested || boot(ResetReason::kSoftware);
    }
    Detail last_detail() {
        const Event* event = events.last(state());
        return event == nullptr ? Detail::kNone : event->status.detail();
    }
    ComponentOutcome outcome_of(ComponentKind kind, uint8_t number = 0) {
        for (const ComponentResult& result : manager().snapshot().attempt.components) {
            if (result.component == ComponentRef{kind, number}) return result.outcome;
        }
        return ComponentOutcome::kNotReached;
    }
    test::FakeBoards boards;
    test::FakeProbe probe;
};

}  // namespace ota
