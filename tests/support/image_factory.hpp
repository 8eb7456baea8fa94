// ESP images and signatures for tests, written from the format's description (shared facts: no code
// of the core is used, so that a mistake there is not repeated here).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace test {

using Buffer = std::vector<uint8_t>;

struct ImageSpec {
    std::string_view version = "1.1.0";
    std::string_view project = "bess";
    uint32_t payload = 8192;  // bytes of the second segment, a multiple of 4
    uint32_t seed = 1;        // of its contents
    uint16_t chip_id = 0x12;
    uint16_t min_chip_revision = 0;
    uint16_t max_chip_revision = 65535;
    uint32_t secure_version = 0;
    uint32_t blank_from = 0;  // this part of the second segment is 0xFF, as if erased
    uint32_t blank_to = 0;
};

// Unsigned image with appended SHA-256.
Buffer make_image(const ImageSpec& spec);

enum class Key { kRsa, kEc, kOtherEc };
const char* public_pem(Key key);

// A raw signature: r || s, or RSASSA-PSS big-endian.
Buffer sign_bytes(const Buffer& digest, Key key);

// What AWS Signer makes of a file, in base64: DER of r and s, or RSASSA-PKCS1-v1_5.
std::string sign_beside(const Buffer& file, Key key);

// Pads to the sector and adds a signature sector, or a further block to the one that is there.
void sign(Buffer& image, Key key);
Buffer make_signed(const ImageSpec& spec, Key key = Key::kEc);

// An image whose file is exactly size bytes long (a multiple of 4096, at least 12288), signed.
Buffer make_signed_of_size(std::string_view version, uint32_t size, uint32_t seed = 1);

Buffer sha256(const Buffer& bytes);
Buffer md5(const Buffer& bytes);

}  // namespace test
