#pragma once

#include "ports/update_record.hpp"

namespace ota {

// The device as an image has to fit it.
struct DeviceProfile {
    uint16_t chip_id = layout::kChipEsp32P4;
    uint16_t chip_revision = 0;  // major * 100 + minor
    FixedString<32> project;     // of the running image
    VersionText version;         // of the running image
    Digest build_id{};           // of the running image
    Digest judge_id{};           // of the running image and the keys that it trusts: who refuses
    uint32_t min_secure_version = 0;  // rollback protection: highest ever confirmed
    uint64_t slot_size = 0;           // bytes
};

// May this image replace the running one? kIncompatible with the first thing that does not fit;
// kNoUpdate / kVersionSame for what already runs; kNoSpace / kSlotTooSmall.
Status admit(const ImageIdentity& image, uint64_t size, const DeviceProfile& device);

// kNoUpdate / kRevertedBefore when this build was tried and given up.
Status check_not_rejected(const ImageIdentity& image, const RejectedBuilds& rejected);

}  // namespace ota
