// CRC-32 (IEEE 802.3, reflected 0xEDB88320), the same function as zlib's crc32().
#pragma once

#include "base/bytes.hpp"

namespace ota {

// Continues from seed; 0 starts a new checksum. ESP-IDF's otadata uses seed 0xFFFFFFFF
// (components/bootloader_support/src/bootloader_common.c), the journal uses 0.
uint32_t crc32(uint32_t seed, Bytes bytes);

}  // namespace ota
