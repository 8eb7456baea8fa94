#include "image_verify.hpp"

#include <algorithm>

#include "base/version.hpp"

namespace otactl {
namespace {

class MemoryImage final : public ota::ImageReader {
  public:
    explicit MemoryImage(const Buffer& bytes) : bytes_(bytes) {}
    uint64_t size() const override { return bytes_.size(); }
    ota::Status read_at(uint64_t offset, ota::MutableBytes out) override {
        if (offset > bytes_.size() || out.size() > bytes_.size() - offset) {
            return {ota::Code::kOutOfRange, ota::Origin::kVerify, ota::Detail::kImageLength};
        }
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
        return {};
    }

  private:
    const Buffer& bytes_;
};

// Does the image fit the device, as far as that is described?
void check_fit(const ota::ImageCheck& check, const Device& device) {
    ota::ImageIdentity identity;
    require(ota::parse_image_identity(check.prefix(), identity), "image");
    ota::DeviceProfile profile;
    profile.chip_revision = device.chip_revision;
    profile.project.assign(device.project.empty() ? identity.project.view() : device.project);
    profile.version.assign(device.version.empty() ? "0.0.0-0" : device.version);
    profile.slot_size = device.slot_size == 0 ? check.size() : device.slot_size;
    require(ota::admit(identity, check.size(), profile), "device");
}

}  // namespace

void verify_image(const Buffer& image, const std::string& public_pem, const Device& device) {
    ota::Version running;
    if (!device.version.empty() && !ota::parse_version(device.version, running).ok()) {
        throw Failure(Exit::kUsage, "--running: a semantic version");
    }
    if (public_pem.find("PRIVATE KEY-----") != std::string::npos) {
        throw Failure(Exit::kUsage, "--key: that is a private key; the device gets the public one");
    }
    ota::TrustStore trusted;
    require(trusted.load_pem(public_pem), "--key");
    ota::ImageCheck check;
    require(check.begin(image.size(), false), "image");
    require(check.on_read_back(image), "image");
    require(check.finish(), "image");
    if (!check.is_signed()) {
        throw Failure(Exit::kUntrusted, "the image is not signed: sign it with otactl image sign");
    }
    MemoryImage reader(image);
    require(ota::verify_secure_boot_signature(reader, check.signature_offset(),
                                              check.image_digest(), trusted),
            "signature");

    check_fit(check, device);
}

void check_image(const Buffer& image, const Device& device) {
    ota::ImageCheck check;
    require(check.begin(image.size(), false), "image");
    require(check.on_read_back(image), "image");
    require(check.finish(), "image");
    check_fit(check, device);
}

}  // namespace otactl
