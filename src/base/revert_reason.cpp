#include "base/revert_reason.hpp"

#include <array>
#include <cstddef>

namespace ota {

const char* revert_reason_text(RevertReason reason) {
    static constexpr std::array<const char*, 9> kTexts = {
        "none",
        "never booted",
        "crashed before it was confirmed",
        "stopped responding (watchdog)",
        "a health probe failed",
        "not all health probes passed in time",
        "power was lost in the trial window",
        "the bootloader took another image",
        "on request",
    };
    const auto index = static_cast<size_t>(reason);
    return index < kTexts.size() ? kTexts[index] : "unknown";
}

}  // namespace ota
