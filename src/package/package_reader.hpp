// What is in the file: tells the format and describes the payload of a raw ESP image.
#pragma once

#include "ports/component.hpp"
#include "ports/source.hpp"

namespace ota {

enum class PackageFormat : uint8_t { kUnknown, kEspImage, kSuit };

// Decided by the first byte: 0xE9 is an ESP image, 0xD8 a tagged SUIT envelope.
PackageFormat detect_format(Bytes start);

// So many bytes from the start of the file must be at hand for describe().
inline constexpr size_t kPackagePrefixSize = layout::kImagePrefixSize;

// Untrusted: only for deciding whether the download is worth it. The bytes that count later are
// read back from flash.
Status describe_package(Bytes prefix, const SourceInfo& source, Payload& out);

}  // namespace ota
