// A device with 1.0.0 in its first slot, 1.1.0 on offer and one probe that says what it is told to.
#pragma once

#include "support/device.hpp"
#include "support/test.hpp"

namespace ota {

using test::Device;
using test::FakeProbe;
using test::make_signed_of_size;

inline constexpr uint32_t kTrialImageSize = 24 * 1024;

struct TrialBench : Device {
    explicit TrialBench(const test::DeviceLayout& layout = {}) : Device(layout) {
        put_image(layout.factory ? kFactorySlot : SlotId{0},
                  make_signed_of_size("1.0.0", kTrialImageSize, 1));
        source.package = make_signed_of_size("1.1.0", kTrialImageSize, 2);
        probes.push_back(&probe);
        EXPECT_TRUE(boot());
    }
    // Up to the restart into the new image.
    bool install() {
        (void)post(CommandKind::kStartUpdate);
        if (!run_to(State::kReadyToApply)) return false;
        (void)post(CommandKind::kApply);
        return run_until([&] { return restart_requested(); });
    }
    // The bootloader loses power between erasing NEW and writing PENDING_VERIFY: the entry is gone.
    bool install_and_lose_entry() {
        if (!install()) return false;
        flash.cut_at(2, CutKind::kClean, 1);
        const bool booted = boot(ResetReason::kSoftware);
        flash.power_on();
        return !booted;
    }
    bool wait_for(Notice notice, Millis limit = 600000) {
        return run_until([&] { return events.count(notice) != 0; }, limit);
    }
    // Checks without being asked: is the build that was given up left alone?
    bool is_left_alone() {
        (void)post(CommandKind::kCheck);
        if (!run_until([&] { return state() != State::kChecking && mailbox.queue.empty(); }))
            return false;
        const Event* idle = events.last(State::kIdle);
        return idle != nullptr && idle->status.detail() == Detail::kRevertedBefore;
    }
    FakeProbe probe;
};

}  // namespace ota
