// A device that is offered 1.1.0 in a SUIT package.
#pragma once

#include "engine/trial_bench.hpp"
#include "support/suit_factory.hpp"

namespace ota {

namespace cbor = test::cbor;
using test::Buffer;
using test::Key;
using test::SuitSpec;

inline constexpr int64_t kWednesdayNoon = 1795608000;  // 2026-11-25

inline Buffer image_of(std::string_view version, uint32_t payload = 20000) {
    test::ImageSpec image;
    image.version = version;
    image.payload = payload;
    image.seed = 2;
    return test::make_image(image);
}

struct SuitBench : TrialBench {
    explicit SuitBench(const SuitSpec& spec = spec_of("1.1.0", 100)) {
        settings.suit.vendor.fill(0x11);
        settings.suit.class_id.fill(0x22);
        clock.set_wall(kWednesdayNoon);
        source.package = test::make_suit(spec);
        EXPECT_TRUE(boot());
    }
    static SuitSpec spec_of(std::string_view version, uint64_t sequence) {
        SuitSpec spec;
        spec.image = image_of(version);
        spec.sequence = sequence;
        return spec;
    }
    // Another whole image of the same size in the place of the signed one.
    void swap_payload() {
        test::ImageSpec other;
        other.payload = 20000;
        other.seed = 77;
        const Buffer image = test::make_image(other);
        std::copy(image.begin(), image.end(),
                  source.package.end() - static_cast<long>(image.size()));
    }
    // Where an asked update comes to: READY_TO_APPLY, or a failure.
    Detail start(CommandKind command = CommandKind::kStartUpdate) {
        (void)post(command);
        (void)run_until([&] {
            const State now = state();
            return mailbox.queue.empty() && now != State::kChecking && now != State::kDownloading &&
                   now != State::kVerifying && now != State::kUpdateAvailable;
        });
        return state() == State::kReadyToApply ? Detail::kNone : last_detail();
    }
    Detail last_detail() {
        const Event* idle = events.last(state());
        return idle == nullptr ? Detail::kNone : idle->status.detail();
    }
};

}  // namespace ota
