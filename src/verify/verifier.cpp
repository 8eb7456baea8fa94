#include "verify/verifier.hpp"

namespace ota {
namespace {

constexpr Status untrusted(Detail detail) {
    return {Code::kUntrusted, Origin::kVerify, detail};
}

}  // namespace

Status Verifier::begin(uint64_t size, const Expectation& expected) {
    expected_ = expected;
    expected_.signature.reset();
    file_signature_.take_none();
    if (expected.signature) OTA_TRY(file_signature_.take(*expected.signature));
    return check_.begin(size, expected.md5.has_value());
}

Status Verifier::images(SlotId id, ImageReader& slot, const DeviceProfile& device,
                        const std::optional<BankContent>& config, std::optional<VerifiedSet>& out) {
    out.reset();
    OTA_TRY(check_.finish());
    OTA_TRY(check_expected());
    OTA_TRY(check_signature(slot));
    if (config) OTA_TRY(check_config(*config));

    ImageIdentity image;
    OTA_TRY(parse_image_identity(check_.prefix(), image));
    OTA_TRY(sha256(check_.prefix(), image.build_id));
    OTA_TRY(admit(image, check_.size(), device));
    const Digest& digest =
        expected_.signed_sha256 ? *expected_.signed_sha256 : check_.image_digest();
    out = VerifiedSet(id, image, digest, check_.size(), config);
    return {};
}

Status Verifier::check_expected() const {
    if (expected_.sha256) {
        Digest digest;
        OTA_TRY(check_.file_sha256(digest));
        if (!equal_constant_time(digest, *expected_.sha256))
            return untrusted(Detail::kExpectedSha256);
    }
    if (file_signature_.is_taken()) {
        Digest digest;
        OTA_TRY(check_.file_sha256(digest));
        OTA_TRY(file_signature_.check(digest));
    }
    if (expected_.md5) {
        std::array<uint8_t, 16> digest;
        OTA_TRY(check_.file_md5(digest));
        if (!equal_constant_time(digest, *expected_.md5)) return untrusted(Detail::kExpectedMd5);
    }
    return {};
}

Result<bool> Verifier::holds(const Digest& digest, uint64_t size) const {
    if (check_.position() != size) return false;
    Digest own;
    OTA_TRY(check_.file_sha256(own));
    return equal_constant_time(own, digest);
}

Status Verifier::check_config(const BankContent& config) const {
    const std::optional<Digest> own = parts_.digest(ComponentKind::kConfig, config.size);
    const bool same = own && equal_constant_time(*own, config.digest);
    return same ? kOkStatus : untrusted(Detail::kImageDigest);
}

Status Verifier::check_signature(ImageReader& slot) const {
    if (expected_.signed_sha256) {
        OTA_TRY_ASSIGN(const bool same, holds(*expected_.signed_sha256, check_.size()));
        return same ? kOkStatus : untrusted(Detail::kImageDigest);
    }
    if (!check_.is_signed()) {
        return signature_required_ ? untrusted(Detail::kSignatureMissing) : kOkStatus;
    }
    if (!signature_required_ && trusted_.keys().empty()) return {};
    return verify_secure_boot_signature(slot, check_.signature_offset(), check_.image_digest(),
                                        trusted_);
}

}  // namespace ota
