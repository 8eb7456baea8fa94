#include "verify/slot_check.hpp"

#include "wire/esp_image.hpp"
#include "wire/sha256.hpp"

namespace ota {

bool slot_holds_image(Flash& slot) {
    EspImageWalker walker;
    RunningHash hash(PSA_ALG_SHA_256);
    if (!hash.start().ok()) return false;
    Digest body{};
    std::array<uint8_t, layout::kPageSize> page;
    for (uint32_t at = 0; at < slot.geometry().size; at += layout::kPageSize) {
        if (!slot.read(at, page).ok()) return false;
        Bytes bytes(page);
        while (!bytes.empty()) {
            const bool in_body = walker.region() == EspImageWalker::Region::kBody;
            const Result<size_t> n = walker.feed(bytes);
            if (!n.ok()) return false;
            if (in_body && !hash.update(bytes.first(*n)).ok()) return false;
            if (walker.region() == EspImageWalker::Region::kDone) {
                return hash.value(body).ok() && equal_constant_time(body, walker.appended_hash());
            }
            bytes = bytes.subspan(*n);
        }
    }
    return false;
}

}  // namespace ota
