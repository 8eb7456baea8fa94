#include "package/package_reader.hpp"

#include "wire/esp_image.hpp"
#include "wire/sha256.hpp"

namespace ota {

PackageFormat detect_format(Bytes start) {
    constexpr uint8_t kTagHead = 0xD8;  // a tag of one byte (RFC 8949 3.4)
    if (start.empty()) return PackageFormat::kUnknown;
    if (start[0] == layout::kImageMagic) return PackageFormat::kEspImage;
    return start[0] == kTagHead ? PackageFormat::kSuit : PackageFormat::kUnknown;
}

Status describe_package(Bytes prefix, const SourceInfo& source, Payload& out) {
    if (detect_format(prefix) != PackageFormat::kEspImage) {
        return {Code::kMalformed, Origin::kPackage, Detail::kUnknownFormat};
    }
    OTA_TRY(parse_image_identity(prefix, out.image));
    OTA_TRY(sha256(prefix, out.image.build_id));
    out.size = source.size;
    out.source_identity = source.identity;
    return {};
}

}  // namespace ota
