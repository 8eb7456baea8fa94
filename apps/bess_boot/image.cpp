#include "image.hpp"

#include <mbedtls/sha256.h>

#include <array>
#include <cstring>

#include "ports/flash_layout.hpp"

namespace rom {
namespace {

namespace layout = ota::layout;
constexpr uint16_t kChipRevision = 100;  // v1.0

uint32_t u32(const uint8_t* p) {
    uint32_t value = 0;
    std::memcpy(&value, p, sizeof value);  // the host is little-endian like the chip
    return value;
}

uint16_t u16(const uint8_t* p) {
    uint16_t value = 0;
    std::memcpy(&value, p, sizeof value);
    return value;
}

// Reads a slot front to back, hashing and summing as the bootloader does.
class Reader {
  public:
    Reader(RomFlash& flash, uint32_t offset, uint32_t size)
        : flash_(flash), offset_(offset), size_(size) {
        mbedtls_sha256_init(&sha_);
        mbedtls_sha256_starts_ret(&sha_, 0);
    }
    ~Reader() { mbedtls_sha256_free(&sha_); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    uint32_t position() const { return position_; }
    bool take(std::span<uint8_t> out, bool hashed) {
        if (out.size() > size_ - position_) return false;
        if (!flash_.read(offset_ + position_, out)) return false;
        if (hashed) mbedtls_sha256_update_ret(&sha_, out.data(), out.size());
        position_ += static_cast<uint32_t>(out.size());
        return true;
    }
    std::array<uint8_t, 32> digest() {
        std::array<uint8_t, 32> out{};
        mbedtls_sha256_finish_ret(&sha_, out.data());
        return out;
    }

  private:
    RomFlash& flash_;
    uint32_t offset_;
    uint32_t size_;
    uint32_t position_ = 0;
    mbedtls_sha256_context sha_;
};

bool header_fits(const std::array<uint8_t, layout::kImageHeaderSize>& header) {
    const uint16_t min_revision = u16(&header[15]);
    const uint16_t max_revision = u16(&header[17]);
    const bool limited = max_revision != 0 && max_revision != 0xFFFF;
    return header[0] == layout::kImageMagic && header[1] >= 1 &&
           header[1] <= layout::kMaxSegments && u16(&header[12]) == layout::kChipEsp32P4 &&
           kChipRevision >= min_revision && (!limited || kChipRevision <= max_revision) &&
           header[23] == 1;
}

// One segment's data; remembers where the twin's program is.
bool take_segment(Reader& reader, uint32_t length, uint32_t slot_offset, uint8_t& checksum,
                  Image& image) {
    const uint32_t start = reader.position();
    std::array<uint8_t, 4096> chunk;
    while (length != 0) {
        const uint32_t n = length < chunk.size() ? length : static_cast<uint32_t>(chunk.size());
        const std::span<uint8_t> part = std::span(chunk).first(n);
        if (!reader.take(part, true)) return false;
        const bool first = reader.position() - n == start;
        if (first && n >= 4 &&
            std::memcmp(part.data(),
                        "\x7F"
                        "ELF",
                        4) == 0) {
            image.elf_offset = slot_offset + start;
            image.elf_length = length;
        }
        for (const uint8_t byte : part) checksum = static_cast<uint8_t>(checksum ^ byte);
        length -= n;
    }
    return true;
}

}  // namespace

std::optional<Image> verify_image(RomFlash& flash, uint32_t offset, uint32_t slot_size) {
    Reader reader(flash, offset, slot_size);
    std::array<uint8_t, layout::kImageHeaderSize> header;
    if (!reader.take(header, true) || !header_fits(header)) return std::nullopt;

    Image image;
    uint8_t checksum = layout::kChecksumSeed;
    for (uint8_t i = 0; i < header[1]; ++i) {
        std::array<uint8_t, layout::kSegmentHeaderSize> segment;
        if (!reader.take(segment, true)) return std::nullopt;
        const uint32_t length = u32(&segment[4]);
        const bool sane = length != 0 && length % 4 == 0 && length <= slot_size &&
                          (i != 0 || length >= layout::kAppDescriptorSize);
        if (!sane || !take_segment(reader, length, offset, checksum, image)) return std::nullopt;
    }
    std::array<uint8_t, layout::kChecksumAlign> padding;
    const uint32_t n = layout::kChecksumAlign - reader.position() % layout::kChecksumAlign;
    if (!reader.take(std::span(padding).first(n), true)) return std::nullopt;
    if (padding[n - 1] != checksum) return std::nullopt;

    std::array<uint8_t, layout::kImageHashSize> appended;
    if (!reader.take(appended, false) || appended != reader.digest()) return std::nullopt;
    image.length = reader.position();
    return image;
}

}  // namespace rom
