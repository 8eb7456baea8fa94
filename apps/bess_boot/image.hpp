#pragma once

#include <optional>

#include "rom_flash.hpp"

namespace rom {

struct Image {
    uint32_t length = 0;      // bytes from header to appended digest
    uint32_t elf_offset = 0;  // in flash: the program that the twin executes; 0 = none inside
    uint32_t elf_length = 0;
};

// The bootloader's esp_image_verify for an ESP32-P4: header, chip id and revision, segments,
// checksum, appended SHA-256, length. Written independently of the core on purpose, so that one
// mistake can't hide on both sides.
std::optional<Image> verify_image(RomFlash& flash, uint32_t offset, uint32_t slot_size);

}  // namespace rom
