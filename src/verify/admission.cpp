#include "verify/admission.hpp"

#include "base/version.hpp"

namespace ota {
namespace {

constexpr Status incompatible(Detail detail) {
    return {Code::kIncompatible, Origin::kVerify, detail};
}

constexpr uint16_t kNoMaxRevision = 65535;

bool revision_fits(const ImageIdentity& image, uint16_t revision) {
    const bool limited = image.max_chip_revision != 0 && image.max_chip_revision != kNoMaxRevision;
    return revision >= image.min_chip_revision && (!limited || revision <= image.max_chip_revision);
}

Status check_version(const ImageIdentity& image, const DeviceProfile& device) {
    Version offered;
    Version running;
    OTA_TRY(parse_version(image.version.view(), offered));
    OTA_TRY(parse_version(device.version.view(), running));
    const auto order = compare_versions(offered, running);
    if (std::is_lt(order)) return incompatible(Detail::kVersionOlder);
    if (std::is_eq(order)) return {Code::kNoUpdate, Origin::kVerify, Detail::kVersionSame};
    return {};
}

}  // namespace

Status admit(const ImageIdentity& image, uint64_t size, const DeviceProfile& device) {
    if (image.chip_id != device.chip_id) return incompatible(Detail::kChipId);
    if (!revision_fits(image, device.chip_revision)) return incompatible(Detail::kChipRevision);
    if (image.project.view() != device.project.view()) return incompatible(Detail::kProjectName);
    OTA_TRY(check_version(image, device));
    if (image.secure_version < device.min_secure_version) {
        return incompatible(Detail::kSecureVersion);
    }
    if (size > device.slot_size) return {Code::kNoSpace, Origin::kVerify, Detail::kSlotTooSmall};
    return {};
}

Status check_not_rejected(const ImageIdentity& image, const RejectedBuilds& rejected) {
    for (const RejectedBuild& build : rejected) {
        if (build.build_id == image.build_id) {
            return {Code::kNoUpdate, Origin::kVerify, Detail::kRevertedBefore};
        }
    }
    return {};
}

}  // namespace ota
