#include "verify/image_check.hpp"

namespace ota {
namespace {

constexpr Status malformed(Detail detail) {
    return {Code::kMalformed, Origin::kVerify, detail};
}

}  // namespace

Status ImageCheck::begin(uint64_t size, bool with_md5) {
    walker_ = EspImageWalker();
    with_md5_ = with_md5;
    size_ = size;
    position_ = 0;
    image_size_ = 0;
    signature_offset_ = 0;
    OTA_TRY(sha_.start());
    return with_md5 ? md5_.start() : kOkStatus;
}

Status ImageCheck::on_read_back(Bytes bytes) {
    if (size_ != 0 && bytes.size() > size_ - position_) return malformed(Detail::kImageLength);
    keep_prefix(bytes);
    if (with_md5_) OTA_TRY(md5_.update(bytes));
    while (!bytes.empty()) {
        const EspImageWalker::Region before = walker_.region();
        OTA_TRY_ASSIGN(const size_t n, stretch(bytes));
        OTA_TRY(sha_.update(bytes.first(n)));
        position_ += n;
        bytes = bytes.subspan(n);
        OTA_TRY(at_border(before));
    }
    const bool done = walker_.region() == EspImageWalker::Region::kDone;
    const bool more = position_ > signature_offset_ + layout::kSignatureSectorSize;
    return done && more ? malformed(Detail::kImageLength) : kOkStatus;
}

// How many of bytes go up to the next place where a digest is taken.
Result<size_t> ImageCheck::stretch(Bytes bytes) {
    if (walker_.region() != EspImageWalker::Region::kDone) return walker_.feed(bytes);
    if (position_ >= signature_offset_) return bytes.size();
    return std::min<size_t>(bytes.size(), static_cast<size_t>(signature_offset_ - position_));
}

Status ImageCheck::at_border(EspImageWalker::Region before) {
    using Region = EspImageWalker::Region;
    const Region now = walker_.region();
    if (before == Region::kBody && now == Region::kHash) return sha_.value(body_digest_);
    if (before == Region::kHash && now == Region::kDone) {
        if (!equal_constant_time(walker_.appended_hash(), body_digest_)) {
            return malformed(Detail::kImageHash);
        }
        image_size_ = position_;
        signature_offset_ = round_up<uint64_t>(image_size_, layout::kSectorSize);
        // Exactly the image, or the image and one signature sector: nothing may hide behind.
        if (size_ != 0 && !is_file_size(size_)) return malformed(Detail::kImageLength);
    }
    // What the signature covers: the image alone, or up to where a signature sector begins.
    const bool border = position_ == image_size_ || position_ == signature_offset_;
    if (now == Region::kDone && border) return sha_.value(image_digest_);
    return {};
}

bool ImageCheck::is_file_size(uint64_t size) const {
    return size == image_size_ || size == signature_offset_ + layout::kSignatureSectorSize;
}

bool ImageCheck::is_whole() const {
    return walker_.region() == EspImageWalker::Region::kDone && is_file_size(position_);
}

void ImageCheck::keep_prefix(Bytes bytes) {
    if (position_ >= prefix_.size()) return;
    const auto at = static_cast<size_t>(position_);
    const size_t n = std::min(bytes.size(), prefix_.size() - at);
    std::memcpy(prefix_.data() + at, bytes.data(), n);
}

Status ImageCheck::finish() {
    if (size_ == 0) size_ = position_;
    return is_whole() && position_ == size_ ? kOkStatus : malformed(Detail::kImageLength);
}

}  // namespace ota
