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

}  // namespace ota
