// A device that runs 1.0.0 and is offered 1.1.0.
#pragma once

#include "support/device.hpp"
#include "support/test.hpp"

namespace ota {

using test::Device;
using test::make_signed_of_size;

inline constexpr uint32_t kUpdateImageSize = 32 * 1024;

struct UpdateBench : Device {
    UpdateBench() {
        put_image(0, make_signed_of_size("1.0.0", kUpdateImageSize, 1));
        source.package = make_signed_of_size("1.1.0", kUpdateImageSize, 2);
        EXPECT_TRUE(boot());
    }
    bool download() {
        (void)post(CommandKind::kStartUpdate);
        return run_to(State::kReadyToApply);
    }
};

}  // namespace ota
