#pragma once

#include "package/suit_processor.hpp"

namespace ota {

// The SUIT package in hand, from the look at it to the restart: what its prefix said, and how far
// its commands and its payloads have come. The buffer of the prefix is the caller's and keeps its
// bytes for as long.
struct SuitPackage {
    explicit SuitPackage(ComponentHost& components, ConditionHost& conditions)
        : processor(components, conditions) {}

    SuitPrefix prefix;
    SuitManifest manifest;
    SuitProcessor processor;
    SuitPayloadReader payloads;
    uint64_t file_at = 0;  // place in the file of what payloads reads next

    // The fetch that is under way.
    FixedString<256> uri;
    Digest digest{};
    uint64_t size = 0;
    bool staged = false;    // a payload of this package is in the slot
    bool fetched = false;   // it is done; the processor asks once more
    bool draining = false;  // everything was fetched: is this the end of the file?
    size_t section = 0;     // index into the sections before the restart
};

}  // namespace ota
