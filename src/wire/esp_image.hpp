// The ESP application image (esp_app_format.h): identity from its first 288 bytes, and a walker
// that checks the structure of the whole while its bytes pass by. No policy here.
#pragma once

#include "ports/flash_layout.hpp"
#include "ports/image.hpp"

namespace ota {

// Fills everything but build_id from exactly kImagePrefixSize bytes.
Status parse_image_identity(Bytes prefix, ImageIdentity& out);

// Makes the checks of the bootloader (components/bootloader_support/src/esp_image_format.c) that
// need no key and no chip: segment count, lengths, alignment of mapped segments, XOR checksum.
class EspImageWalker {
  public:
    enum class Region : uint8_t {
        kBody,  // header … checksum: what the appended digest covers
        kHash,  // the appended SHA-256
        kDone,  // behind the image
    };

    Region region() const { return region_; }
    uint64_t position() const { return position_; }

    // Consumes bytes of the current region only and says how many (≥ 1 for non-empty bytes,
    // 0 in kDone), so that a caller can act on the border.
    Result<size_t> feed(Bytes bytes);

    // The appended digest, after kHash.
    Bytes appended_hash() const { return {field_.data(), layout::kImageHashSize}; }

  private:
    enum class Part : uint8_t { kHeader, kSegmentHeader, kSegmentData, kPadding, kHash };

    Status part_complete();
    Status take_header();
    Status take_segment_header();
    Status take_checksum();
    void enter(Part part, uint32_t length);

    Region region_ = Region::kBody;
    Part part_ = Part::kHeader;
    uint64_t position_ = 0;
    uint32_t left_ = layout::kImageHeaderSize;  // bytes of the current part still to come
    uint32_t filled_ = 0;                       // bytes of the current part in field_
    uint8_t segments_left_ = 0;
    bool first_segment_ = true;
    uint8_t checksum_ = layout::kChecksumSeed;
    std::array<uint8_t, layout::kImageHashSize> field_{};
};

}  // namespace ota
