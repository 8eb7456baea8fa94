#pragma once

#include "ports/flash.hpp"

namespace ota {

// Does the slot hold a whole image: structure, checksum and appended digest? The check that a
// bootloader without Secure Boot makes.
bool slot_holds_image(Flash& slot);

}  // namespace ota
