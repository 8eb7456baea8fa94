#include "base/status_text.hpp"

#include <array>
#include <cstddef>

namespace ota {
namespace {

// In the order of the enumerations; the static_asserts keep the tables whole.
constexpr std::array<const char*, kCodeCount> kCodeTexts = {
    "ok",
    "no update",
    "try again",
    "timed out: the source delivered nothing for too long",
    "cancelled",
    "not available",
    "refused",
    "not authenticated",
    "not trusted",
    "malformed",
    "incompatible",
    "no space",
    "unsafe",
    "storage error",
    "end of data",
    "out of range",
    "internal error",
};

constexpr auto kDetailTexts = std::to_array<const char*>({
    "",
    "no medium: insert the card or drive",
    "no update file found: check path and name",
    "the file changed while it was read: copy it again, then retry",
    "the file is larger than any image: check the card",
    "reading the medium failed: check card and contacts",
    "the file ends too early: copy it again",
    "the .sha256 or .md5 file beside the package is malformed: write it with sha256sum or md5sum",
    "unknown package format: expected an ESP image",
    "not an ESP image (magic byte)",
    "the image's segments are malformed",
    "the image has no application descriptor",
    "the file is not exactly one image, or one image and one signature sector",
    "the image's checksum is wrong: transfer it again",
    "the image's appended SHA-256 is missing or wrong: transfer it again",
    "no trusted key: set public_key_pem",
    "the image is not signed: sign it with otactl image sign",
    "the signature block is damaged or of an unknown kind",
    "the signature belongs to other bytes: sign the image again",
    "no signature by a trusted key: sign with the right key, or add the key to public_key_pem",
    "the SHA-256 differs from the expected one",
    "the MD5 differs from the expected one",
    "the public key is not a PEM block (BEGIN PUBLIC KEY)",
    "unsupported key: use RSA-3072 (e = 65537) or ECDSA P-256",
    "built for another chip",
    "built for another chip revision",
    "built for another project",
    "the version is not a semantic version (MAJOR.MINOR.PATCH)",
    "this version is running already",
    "older than the running version: downgrades are refused",
    "secure version below the device's rollback index",
    "larger than the slot",
    "this build was reverted before: start the update explicitly to try it again",
    "this file was refused before: start the update explicitly to try it again",
    "the image in flash is not the one that was verified",
    "the crypto library failed",
    "no battery provider: call ota_manager_set_battery_provider",
    "battery data is stale: check the link to the BMS",
    "battery data can't be read: check the link to the BMS",
    "state of charge too low",
    "battery too hot",
    "battery too cold",
    "battery current too high",
    "the application's safety callback said no",
    "unsafe for too long: the update was given up",
    "flash does not hold what was written",
    "refused to write the running slot",
    "reading flash failed",
    "programming flash failed",
    "erasing flash failed",
    "flash was not erased before programming",
    "flash address or length is not aligned",
    "the journal is full",
    "no journal: add 'ota_journal, data, 0x06, , 0x4000' to partitions.csv",
    "writing otadata failed",
    "no other bootable image: the running one stays",
    "rollback is switched off (allow_rollback)",
    "the running image can't be confirmed: otadata can't be written",
    "aborted by the user",
    "the command no longer fits the state: ask again",
    "nothing offered",
    "a trial is running: wait until it is confirmed or reverted",
    "a partition is missing",
    "the partition table is malformed",
    "power is off",
});
static_assert(kDetailTexts.size() == static_cast<size_t>(Detail::kCount_));

}  // namespace

const char* detail_text(Detail detail) {
    const auto index = static_cast<size_t>(detail);
    return index < kDetailTexts.size() ? kDetailTexts[index] : "unknown detail";
}

const char* code_text(Code code) {
    const auto index = static_cast<size_t>(code);
    return index < kCodeTexts.size() ? kCodeTexts[index] : "unknown code";
}

const char* status_text(Status status) {
    return status.detail() == Detail::kNone ? code_text(status.code())
                                            : detail_text(status.detail());
}

}  // namespace ota
