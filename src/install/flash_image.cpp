#include "install/flash_image.hpp"

#include "wire/sha256.hpp"

namespace ota {

Status FlashImage::read_at(uint64_t offset, MutableBytes out) {
    if (offset > size() || out.size() > size() - offset) {
        return {Code::kOutOfRange, Origin::kInstall, Detail::kImageLength};
    }
    return flash_.read(static_cast<uint32_t>(offset), out);
}

Status FlashImage::digest(uint32_t size, Digest& out) {
    RunningHash hash(PSA_ALG_SHA_256);
    OTA_TRY(hash.start());
    std::array<uint8_t, 256> piece;
    for (uint32_t at = 0; at < size; at += static_cast<uint32_t>(piece.size())) {
        const MutableBytes bytes = MutableBytes(piece).first(std::min<size_t>(256, size - at));
        OTA_TRY(read_at(at, bytes));
        OTA_TRY(hash.update(bytes));
    }
    return hash.value(out);
}

}  // namespace ota
