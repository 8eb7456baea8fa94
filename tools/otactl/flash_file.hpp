#pragma once

#include "files.hpp"

namespace otactl {

struct FlashPlan {
    uint32_t size = 16U * 1024 * 1024;
    uint32_t slot_size = 4U * 1024 * 1024;
    uint8_t slots = 2;
    bool factory = false;
    uint32_t config_size = 32U * 1024;       // of all banks; 0 = none
    uint32_t stage_size = 2U * 1024 * 1024;  // likewise
};

// A flash file with partition table and empty otadata, image in the first slot that boots.
Buffer create_flash(const FlashPlan& plan, const Buffer& image);

}  // namespace otactl
