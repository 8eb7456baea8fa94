#pragma once

#include "image_verify.hpp"
#include "inspect.hpp"

namespace otactl {

// Is it a SUIT envelope, by its first bytes?
bool is_suit(const Buffer& file);

// Manifest, signatures and payloads of a package as a tree.
Json inspect_suit(const Buffer& file);

// The envelope in CBOR diagnostic notation (RFC 8949 8); long byte strings are cut.
std::string suit_diagnostic(const Buffer& file);

// As the device would before and after the download: signatures by at least wanted of the keys,
// form, digests, the image and, where the device is described, that it fits. Failure with what was
// found.
struct SuitDevice {
    Device device;
    std::string vendor;  // UUIDs; empty: not asked
    std::string class_id;
    size_t signatures = 1;
};
// Returns what could not be looked at: encrypted payloads, and those that lie elsewhere.
Json verify_suit(const Buffer& file, const std::string& public_pem, const SuitDevice& device);

// The payloads by their key, and the manifest.
struct SuitPart {
    std::string name;
    Buffer bytes;
};
std::vector<SuitPart> unpack_suit(const Buffer& file);

}  // namespace otactl
