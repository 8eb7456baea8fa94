#pragma once

#include "arguments.hpp"
#include "ota_manager_types.h"

// Imports the keys for encrypted payloads and for the door of the field buses into PSA, where a
// device has them from its production, and enters their ids into config. False and a message when a
// file is not right.
bool load_device_keys(const Arguments& arguments, ota_manager_config_t& config);

// Likewise of the key that opens module boards; 0: the file is not right.
uint32_t load_module_key(const char* path);
