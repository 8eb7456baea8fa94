#pragma once

#include "files.hpp"
#include "verify/verifier.hpp"

namespace otactl {

// What the device would say of a file. version empty = not compared.
struct Device {
    std::string project;
    std::string version;
    uint16_t chip_revision = 100;
    uint64_t slot_size = 0;
};

// Throws Failure: malformed, untrusted, or refused by the device.
void verify_image(const Buffer& image, const std::string& public_pem, const Device& device);

// The same without a signature: what a signed manifest vouches for.
void check_image(const Buffer& image, const Device& device);

}  // namespace otactl
