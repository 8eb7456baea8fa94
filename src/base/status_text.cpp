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
    "busy: try again later",
};

constexpr auto kDetailTexts = std::to_array<const char*>({
    "",
    "no medium: insert the card or drive",
    "no update file found: check path and name",
    "the file changed while it was read: start the update again",
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
    "larger than the slot: build a smaller image, or give the slots more room in partitions.csv",
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
    "the URL is malformed: it has to be https://host/path of at most 2048 characters",
    "the server's name can't be resolved: check DNS and the host in the URL",
    "the server can't be reached: check network, host and port",
    "the connection was lost: check the network; the download continues where it was",
    "the server delivers too slowly or not at all: check the network",
    "the TLS handshake failed: the server has to speak TLS 1.2 or newer",
    "the server's certificate has expired: renew it",
    "the server's certificate is not valid yet: check its dates",
    "the server's certificate is for another host: check the URL, or the certificate's names",
    "the server's certificate is of an unknown issuer: check cert_pem",
    "the server's key is not the pinned one: check pinned_key_sha256",
    "the server does not accept the client certificate: check client_cert_pem and client_key_pem",
    "the device's clock is not set, so no certificate can be valid: set the time (SNTP)",
    "the server wants other credentials (401): check user and password, or the token",
    "the server forbids this download (403): check rights, or whether a signed URL has expired",
    "the server has no such file (404): check the URL",
    "the server answered with an unexpected status: check the URL and the server's log",
    "the server does not speak HTTP properly: check what listens at this address",
    "the server is busy or broken for now: tried again later",
    "unchanged on the server since the last look",
    "more than ten redirects: check the server for a loop",
    "redirected away from https: refused; let the server redirect to https only",
    "redirected without a usable Location: check the server",
    "the server sent another range than asked for: check proxy and server",
    "the server compressed the file: switch compression off for it",
    "as much was downloaded as is allowed in a day: raise max_bytes_per_day, or wait",
    "no answer from the name server or the host: check DNS, network, host and port",
    "built in the future, by this device's clock: check it, and the clock of the build host",
    "the card or drive can't be written: write protection, or full",
    "not enough memory for the connection: tried again later",
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
