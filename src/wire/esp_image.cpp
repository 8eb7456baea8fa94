#include "wire/esp_image.hpp"

#include "wire/http_date.hpp"

namespace ota {
namespace {

constexpr Status malformed(Detail detail) {
    return {Code::kMalformed, Origin::kPackage, detail};
}

// Flash-mapped addresses of the ESP32-P4 (esptool targets/esp32p4.py, IROM_MAP_START/END).
constexpr uint32_t kMapStart = 0x40000000;
constexpr uint32_t kMapEnd = 0x4C000000;
constexpr uint32_t kMmuPage = 0x10000;
// Larger segments than a flash chip has are refused before they are waited for.
constexpr uint32_t kMaxSegment = 128U * 1024 * 1024;

// By words, as the bootloader does it: every byte of an image goes through here.
uint8_t xor_of(Bytes bytes) {
    uint64_t words = 0;
    size_t i = 0;
    for (; i + sizeof words <= bytes.size(); i += sizeof words) {
        uint64_t word = 0;
        std::memcpy(&word, &bytes[i], sizeof word);
        words ^= word;
    }
    words ^= words >> 32;
    words ^= words >> 16;
    words ^= words >> 8;
    for (; i < bytes.size(); ++i) words ^= bytes[i];
    return static_cast<uint8_t>(words);
}

}  // namespace

Status parse_image_identity(Bytes prefix, ImageIdentity& out) {
    if (prefix.size() != layout::kImagePrefixSize) return malformed(Detail::kImageLength);
    if (prefix[0] != layout::kImageMagic) return malformed(Detail::kImageMagic);
    if (prefix[1] == 0 || prefix[1] > layout::kMaxSegments)
        return malformed(Detail::kImageSegments);
    BoundedReader descriptor(prefix.subspan(layout::kAppDescriptorOffset));
    if (descriptor.u32() != layout::kAppDescriptorMagic) return malformed(Detail::kImageDescriptor);

    out.chip_id = load_le16(&prefix[12]);
    out.min_chip_revision = load_le16(&prefix[15]);
    out.max_chip_revision = load_le16(&prefix[17]);
    out.secure_version = descriptor.u32();
    descriptor.take(8);  // reserved
    out.version.assign(field_text(descriptor.take(32)));
    out.project.assign(field_text(descriptor.take(32)));
    const std::string_view time = field_text(descriptor.take(16));
    const std::string_view date = field_text(descriptor.take(16));
    out.built_at = parse_compile_time(date, time).value_or(0);
    descriptor.take(32);  // idf_ver
    descriptor.copy(out.elf_sha256);
    return descriptor.ok() ? kOkStatus : malformed(Detail::kImageDescriptor);
}

Result<size_t> EspImageWalker::feed(Bytes bytes) {
    const Region region = region_;
    size_t used = 0;
    while (used < bytes.size() && region_ == region && region_ != Region::kDone) {
        const Bytes part = bytes.subspan(used, std::min<size_t>(bytes.size() - used, left_));
        if (part_ == Part::kSegmentData) {
            checksum_ = static_cast<uint8_t>(checksum_ ^ xor_of(part));
        } else {
            std::memcpy(field_.data() + filled_, part.data(), part.size());
            filled_ += static_cast<uint32_t>(part.size());
        }
        left_ -= static_cast<uint32_t>(part.size());
        position_ += part.size();
        used += part.size();
        if (left_ == 0) OTA_TRY(part_complete());
    }
    return used;
}

void EspImageWalker::enter(Part part, uint32_t length) {
    part_ = part;
    left_ = length;
    filled_ = 0;
}

Status EspImageWalker::part_complete() {
    switch (part_) {
        case Part::kHeader:
            return take_header();
        case Part::kSegmentHeader:
            return take_segment_header();
        case Part::kSegmentData:
            if (--segments_left_ != 0) {
                enter(Part::kSegmentHeader, layout::kSegmentHeaderSize);
            } else {
                // the checksum is the last byte of a 16-byte block
                enter(Part::kPadding,
                      layout::kChecksumAlign -
                          static_cast<uint32_t>(position_ % layout::kChecksumAlign));
            }
            return {};
        case Part::kPadding:
            return take_checksum();
        case Part::kHash:
            region_ = Region::kDone;
            return {};
    }
    return malformed(Detail::kImageSegments);
}

Status EspImageWalker::take_header() {
    if (field_[0] != layout::kImageMagic) return malformed(Detail::kImageMagic);
    segments_left_ = field_[1];
    if (segments_left_ == 0 || segments_left_ > layout::kMaxSegments) {
        return malformed(Detail::kImageSegments);
    }
    if (field_[23] != 1) return malformed(Detail::kImageHash);  // no digest appended
    enter(Part::kSegmentHeader, layout::kSegmentHeaderSize);
    return {};
}

Status EspImageWalker::take_segment_header() {
    const uint32_t address = load_le32(&field_[0]);
    const uint32_t length = load_le32(&field_[4]);
    if (length == 0 || length % 4 != 0 || length > kMaxSegment) {
        return malformed(Detail::kImageSegments);
    }
    if (first_segment_ && length < layout::kAppDescriptorSize) {
        return malformed(Detail::kImageDescriptor);
    }
    const bool mapped = address >= kMapStart && address < kMapEnd;
    if (mapped && address % kMmuPage != position_ % kMmuPage) {
        return malformed(Detail::kImageSegments);
    }
    first_segment_ = false;
    enter(Part::kSegmentData, length);
    return {};
}

Status EspImageWalker::take_checksum() {
    if (field_[filled_ - 1] != checksum_) return malformed(Detail::kImageChecksum);
    region_ = Region::kHash;
    enter(Part::kHash, layout::kImageHashSize);
    return {};
}

}  // namespace ota
