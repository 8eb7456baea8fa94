#pragma once

#include <cstdint>

namespace ota {

// The specification's state machine; same order as ota_status_t. Values are stored in flash.
enum class State : uint8_t {
    kIdle,
    kChecking,
    kUpdateAvailable,
    kDownloading,
    kVerifying,
    kReadyToApply,
    kApplying,
    kComplete,
    kRebooting,
    kFailed,
    kAborted,
};
inline constexpr int kStateCount = 11;

// Nothing is in hand.
constexpr bool rests(State state) {
    return state == State::kIdle || state == State::kFailed || state == State::kAborted;
}

// A package is whole and verified, from there to the restart.
constexpr bool is_staged(State state) {
    return state >= State::kReadyToApply && state <= State::kRebooting;
}

}  // namespace ota
