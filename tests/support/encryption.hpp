// Encrypted payloads for tests, made without the code of the core.
#pragma once

#include "install/payload_cipher.hpp"
#include "support/suit_factory.hpp"

namespace test {

enum class Sender { kAesKw, kEcdhEs };

struct Encrypted {
    Buffer info;  // COSE_Encrypt
    Buffer payload;
};

// key_size 16 or 32. seed makes content key and first counter block differ.
Encrypted encrypt(const Buffer& plain, Sender sender, size_t key_size = 16, uint8_t seed = 1);

// RFC 3394
Buffer wrap_key(const Buffer& kek, const Buffer& key);

// The keys of the device that encrypt() sends to, and of another one. Imported once.
const ota::PayloadKeys& device_keys();
const ota::PayloadKeys& stranger_keys();

}  // namespace test
