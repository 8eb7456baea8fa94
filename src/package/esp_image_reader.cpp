#include "package/esp_image_reader.hpp"

namespace ota {

Status EspImageReader::feed(Bytes bytes) {
    if (size_ != 0 && bytes.size() > size_ - position_) {
        return {Code::kMalformed, Origin::kPackage, Detail::kImageLength};
    }
    OTA_TRY(host_.payload(bytes));
    position_ += bytes.size();
    return {};
}

Status EspImageReader::end() {
    if (size_ != 0 && position_ != size_)
        return {Code::kUnavailable, Origin::kPackage, Detail::kShortFile};
    return host_.end_payload();
}

}  // namespace ota
