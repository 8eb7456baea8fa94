#pragma once

#include <cstdint>

namespace ota {

// Why an image was given up. Values are stored in flash: append only.
enum class RevertReason : uint8_t {
    kNone = 0,
    kNeverBooted = 1,  // armed, but no attempt to run it left a trace
    kCrashed = 2,      // panic before it was confirmed
    kWatchdog = 3,     // stopped responding
    kUnhealthy = 4,    // a probe said no
    kDeadline = 5,     // not all probes passed in time
    kPowerCycle = 6,   // power was lost inside the trial window
    kOtherImage = 7,   // the bootloader took another slot although the entry was bootable
    kRequested = 8,    // ota_manager_rollback
};

// For people; never null.
const char* revert_reason_text(RevertReason reason);

}  // namespace ota
