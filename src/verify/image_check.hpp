#pragma once

#include <optional>

#include "ports/image.hpp"
#include "wire/esp_image.hpp"
#include "wire/sha256.hpp"

namespace ota {

// Watches the bytes read back from flash go by, once and in order, and afterwards knows everything
// that needs no key: structure, checksum, appended digest, exact length, the digest that the
// signature covers and the digest of the whole file.
class ImageCheck final : public ReadBackSink {
  public:
    // size: bytes of the whole file, 0 = unknown until its end. with_md5 keeps an MD5 of it too.
    Status begin(uint64_t size, bool with_md5);

    Status on_read_back(Bytes bytes) override;

    // Could the file end here? An image without its signature sector could, too.
    bool is_whole() const;

    // After the last byte. Any finding of the structure, or kImageLength.
    Status finish();

    // Bytes seen so far.
    uint64_t position() const { return position_; }

    // Valid after finish() succeeded.
    uint64_t size() const { return size_; }
    bool is_signed() const { return size_ != image_size_; }
    uint64_t signature_offset() const { return signature_offset_; }
    const Digest& image_digest() const { return image_digest_; }
    Bytes prefix() const { return prefix_; }
    Status file_sha256(Digest& out) const { return sha_.value(out); }
    Status file_md5(std::array<uint8_t, 16>& out) const { return md5_.value(out); }

  private:
    Result<size_t> stretch(Bytes bytes);
    Status at_border(EspImageWalker::Region before);
    bool is_file_size(uint64_t size) const;
    void keep_prefix(Bytes bytes);

    EspImageWalker walker_;
    RunningHash sha_{PSA_ALG_SHA_256};
    RunningHash md5_{PSA_ALG_MD5};
    bool with_md5_ = false;
    uint64_t size_ = 0;
    uint64_t position_ = 0;
    uint64_t image_size_ = 0;        // known once the walker is done
    uint64_t signature_offset_ = 0;  // likewise
    Digest body_digest_{};
    Digest image_digest_{};
    std::array<uint8_t, layout::kImagePrefixSize> prefix_{};
};

}  // namespace ota
