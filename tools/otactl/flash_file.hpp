#pragma once

#include <optional>

#include "files.hpp"

namespace otactl {

struct FlashPlan {
    uint32_t size = 16U * 1024 * 1024;
    uint32_t slot_size = 4U * 1024 * 1024;
    uint8_t slots = 2;
    bool factory = false;
    std::optional<uint32_t> config_size;     // of all banks, 0 = none; default 16 KiB for each slot
    uint32_t stage_size = 2U * 1024 * 1024;  // likewise
};

// A flash file with partition table and empty otadata, image in the first slot that boots.
Buffer create_flash(const FlashPlan& plan, const Buffer& image);

}  // namespace otactl
