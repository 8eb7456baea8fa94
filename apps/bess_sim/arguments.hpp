#pragma once

#include <cstdint>

// The twin's settings, "key=value" words from the command line of bess_boot.
struct Arguments {
    const char* key_path = nullptr;  // trusted public keys, PEM
    const char* sd = nullptr;        // directory in the place of the SD card
    const char* usb = nullptr;       // likewise for the USB drive
    const char* sd_path = "/sdcard/bess*.bin";
    const char* usb_path = "/usb/bess*.bin";
    const char* battery = nullptr;  // file with battery values
    const char* control = nullptr;  // path of the control socket
    bool automatic = false;
    uint32_t check_ms = 0;
    uint32_t rollback_ms = 0;
};

// False and a message for an unknown key or a bad number.
bool parse_arguments(int argc, char** argv, Arguments& out);
