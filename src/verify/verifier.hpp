#pragma once

#include <optional>

#include "ports/verified_set.hpp"
#include "verify/admission.hpp"
#include "verify/file_signature.hpp"
#include "verify/image_check.hpp"
#include "verify/part_check.hpp"
#include "verify/secure_boot_signature.hpp"

namespace ota {

// Digests the package has to have, from the configuration or published beside it.
struct Expectation {
    std::optional<Digest> sha256;
    std::optional<std::array<uint8_t, 16>> md5;
    // In base64, beside an image that comes by a way where there are such; empty: there was none.
    // A view, until begin() has returned.
    std::optional<std::string_view> signature;
    // From a manifest whose signature holds: proof enough, no signature sector is asked for.
    std::optional<Digest> signed_sha256;
};

// The only maker of a VerifiedSet. "Installed" is a conjunction: exact length, digests over what
// was read back from flash, structure, signature, and admission by the bytes that the signature
// covers.
class Verifier {
  public:
    // signature_required = false accepts unsigned images (development, HTTPS only); a signature
    // that is there must hold all the same.
    Verifier(const TrustStore& trusted, bool signature_required)
        : trusted_(trusted), signature_required_(signature_required) {}

    // Starts one attempt of size bytes (0 = unknown); then everything read back from the slot goes
    // to sink().
    Status begin(uint64_t size, const Expectation& expected);
    ReadBackSink& sink() { return check_; }
    // Before the first attempt: whose signatures lie beside files.
    FileSignature& file_signature() { return file_signature_; }
    // Could what was read back be the whole file?
    bool is_whole() const { return check_.is_whole(); }

    // Is what was read back so far exactly this?
    Result<bool> holds(const Digest& digest, uint64_t size) const;

    // Of components that are no image in the standby slot.
    PartCheck& parts() { return parts_; }

    // The verdict, after the last byte. slot is read again for the signature sector only. config:
    // what has to lie in its bank, as the signed manifest or the journal say; it has to have been
    // read back from there.
    Status images(SlotId id, ImageReader& slot, const DeviceProfile& device,
                  const std::optional<BankContent>& config, std::optional<VerifiedSet>& out);

  private:
    Status check_expected() const;
    Status check_signature(ImageReader& slot) const;
    Status check_config(const BankContent& config) const;

    const TrustStore& trusted_;
    const bool signature_required_;
    ImageCheck check_;
    PartCheck parts_;
    Expectation expected_;
    FileSignature file_signature_;
};

}  // namespace ota
