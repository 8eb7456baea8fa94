// Any bytes as a signature sector, or as a signature beside a file: never accepted, never out of
// bounds.
#include <mbedtls/base64.h>
#include <psa/crypto.h>

#include <algorithm>
#include <cstdlib>

#include "ports/flash_layout.hpp"
#include "support/image_factory.hpp"
#include "verify/file_signature.hpp"
#include "verify/secure_boot_signature.hpp"

namespace {

class Sector final : public ota::ImageReader {
  public:
    Sector(const uint8_t* data, size_t size) {
        std::copy_n(data, std::min(size, bytes_.size()), bytes_.begin());
    }
    uint64_t size() const override { return bytes_.size(); }
    ota::Status read_at(uint64_t offset, ota::MutableBytes out) override {
        if (offset + out.size() > bytes_.size())
            return {ota::Code::kOutOfRange, ota::Origin::kInstall};
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
        return {};
    }

  private:
    std::array<uint8_t, ota::layout::kSignatureSectorSize> bytes_{};
};

void try_beside(test::Key key, const uint8_t* data, size_t size, const ota::Digest& digest) {
    ota::FileSignature beside;
    if (!beside.set_key(test::public_pem(key)).ok()) std::abort();
    std::array<char, 1024> text{};
    size_t length = 0;
    if (mbedtls_base64_encode(reinterpret_cast<unsigned char*>(text.data()), text.size(), &length,
                              data, std::min<size_t>(size, 600)) != 0) {
        std::abort();
    }
    if (beside.take({text.data(), length}).ok() && beside.check(digest).ok()) std::abort();
    (void)beside.take({reinterpret_cast<const char*>(data), size});
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    return psa_crypto_init() == PSA_SUCCESS ? 0 : 1;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const ota::TrustStore trusted = [] {
        ota::TrustStore store;
        (void)store.load_pem(test::public_pem(test::Key::kEc));
        (void)store.load_pem(test::public_pem(test::Key::kRsa));
        return store;
    }();
    Sector sector(data, size);
    ota::Digest digest{};  // of no image that was ever signed
    if (ota::verify_secure_boot_signature(sector, 0, digest, trusted).ok()) std::abort();
    try_beside(test::Key::kEc, data, size, digest);
    if (size > 300) try_beside(test::Key::kRsa, data, size, digest);
    return 0;
}
