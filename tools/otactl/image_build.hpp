#pragma once

#include "files.hpp"

namespace otactl {

struct ImageDescription {
    std::string project = "bess_sim";
    std::string version;
    uint32_t secure_version = 0;
    uint16_t chip_id = 0x0012;       // ESP32-P4
    uint16_t min_chip_revision = 0;  // major * 100 + minor
    uint16_t max_chip_revision = 65535;
    int64_t build_time = 0;  // seconds since 1970; 0 = not said
};

// An ESP image whose first segment is the application descriptor and whose second carries program.
// The result depends on the arguments alone: no time stamp, no host name.
Buffer build_image(const Buffer& program, const ImageDescription& description);

}  // namespace otactl
