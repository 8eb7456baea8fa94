// Any bytes as an image: identity, walker and the whole check, fed in pieces.
#include "verify/image_check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const ota::Bytes bytes(data + 1, size - 1);
    const size_t step = data[0] + 1U;
    ota::ImageIdentity identity;
    if (bytes.size() >= ota::layout::kImagePrefixSize) {
        (void)ota::parse_image_identity(bytes.first(ota::layout::kImagePrefixSize), identity);
    }
    ota::ImageCheck check;
    if (!check.begin(bytes.size(), false).ok()) return 0;
    for (size_t at = 0; at < bytes.size(); at += step) {
        if (!check.on_read_back(bytes.subspan(at, std::min(step, bytes.size() - at))).ok())
            return 0;
    }
    (void)check.finish();
    return 0;
}
