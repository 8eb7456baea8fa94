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
    const char* url = nullptr;      // HTTPS source; the first one, before card and drive
    const char* ca = nullptr;       // file of trusted certificates; null: the system's
    const char* user = nullptr;     // file with user:password
    const char* token = nullptr;    // file with a bearer token
    const char* client = nullptr;   // file with client certificate and key
    const char* pin = nullptr;      // base64
    const char* header = nullptr;   // file with one "Name: value"
    const char* vendor = "6123c3a3-abe9-5b3d-8121-9821f5801081";  // of bess.example, for SUIT
    const char* class_id = "e335cddd-9ee6-5fe3-ab4c-abec10f4215a";
    const char* device = nullptr;
    const char* revoked = nullptr;      // digests of keys
    const char* kek = nullptr;          // file with a key for encrypted payloads, hexadecimal
    const char* decrypt_key = nullptr;  // file with a private key for the same, PEM
    const char* serial_number = nullptr;
    const char* access_key = nullptr;   // file with an HMAC key for the door, hexadecimal
    const char* access_keys = nullptr;  // file with public keys for it, PEM
    const char* aws = nullptr;          // endpoint of AWS IoT, with :port if it is not 8883
    const char* thing = nullptr;        // its thing name
    const char* provision = nullptr;    // template that gives it one, and a certificate
    const char* claim = nullptr;        // file with the certificate and key for that
    const char* identity = nullptr;     // folder where they are kept
    const char* code_key = nullptr;     // file with the public key of jobs' code signatures, PEM
    bool settings_packages = false;
    bool shadow = false;  // settings by its shadow
    bool json_streams = false;
    const char* log = nullptr;  // directory of the log on the card: /sdcard/log
    uint32_t log_size = 0;      // bytes of one of its files
    uint32_t log_files = 0;
    uint32_t log_level = 0;             // an ota_log_level_t, of card and cloud
    const char* cloudwatch = nullptr;   // endpoint of CloudWatch Logs, with :port if it is not 443
    const char* credentials = nullptr;  // endpoint of the credentials provider, likewise
    const char* log_group = nullptr;
    const char* metrics = nullptr;      // their namespace
    const char* modbus_line = nullptr;  // serial line or pseudo terminal: RTU
    const char* can = nullptr;          // interface: can0, slcan:/dev/ttyACM0, udp:239.74.163.2
    uint32_t can_load = 0;              // %
    uint32_t can_block = 0;             // frames to a flow control
    uint32_t can_request = 0;           // identifiers; 0 = the defaults
    uint32_t can_response = 0;
    bool can_fd = false;
    const char* modules_can = nullptr;       // interface with module boards
    const char* modules_key = nullptr;       // file with the key that opens them, hexadecimal
    const char* modules_hardware = nullptr;  // that they should be
    const char* module_class = "3d83790f-da46-5289-b648-2b12e970360c";  // BESS-MODULE/R1
    uint32_t modules = 0;                                               // how many; 0 = twelve
    uint32_t modules_quorum = 0;
    bool modules_go_on = false;  // after one has failed
    uint32_t modbus_port = 0;    // TCP on 127.0.0.1; 0 = no Modbus, without a line
    uint32_t modbus_unit = 0;
    uint32_t modbus_baud = 0;
    uint32_t modbus_format = 0;  // ota_serial_format_t
    uint32_t signatures = 0;     // that a SUIT package needs; 0 = the default
    uint32_t time_scale = 1;
    bool clock_unset = false;  // the time of day begins in 1970
    uint32_t max_bytes = 0;    // a day
    bool automatic = false;
    uint32_t check_ms = 0;
    uint32_t rollback_ms = 0;
};

// False and a message for an unknown key or a bad number.
bool parse_arguments(int argc, char** argv, Arguments& out);
