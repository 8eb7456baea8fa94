#include "verify/secure_boot_signature.hpp"

#include "base/crc32.hpp"
#include "ports/flash_layout.hpp"
#include "verify/signature.hpp"

namespace ota {
namespace {

// Block offsets (esp_secure_boot.h, ets_secure_boot_sig_block).
constexpr size_t kDigestAt = 4;
constexpr size_t kCrcAt = 1196;
constexpr size_t kRsaModulusAt = 36;
constexpr size_t kRsaExponentAt = 420;
constexpr size_t kRsaSignatureAt = 812;
constexpr size_t kRsaBytes = 384;
constexpr uint32_t kRsaExponent = 65537;
constexpr size_t kEcCurveAt = 36;
constexpr uint8_t kEcCurveP256 = 2;
constexpr size_t kEcPointAt = 37;
constexpr size_t kEcSignatureAt = 101;
constexpr size_t kEcCoordinate = 32;

constexpr Status fault(Detail detail) {
    return {Code::kUntrusted, Origin::kVerify, detail};
}

// The sector stores numbers little-endian, PSA wants them big-endian.
bool equal_reversed(Bytes little, Bytes big) {
    return little.size() == big.size() && std::equal(little.begin(), little.end(), big.rbegin());
}

bool matches(const TrustedKey& key, Bytes block) {
    if (key.kind == KeyKind::kRsa3072) {
        return block[1] == layout::kSignatureRsa &&
               load_le32(&block[kRsaExponentAt]) == kRsaExponent &&
               equal_reversed(block.subspan(kRsaModulusAt, kRsaBytes), key.material());
    }
    return block[1] == layout::kSignatureEcdsa && block[kEcCurveAt] == kEcCurveP256 &&
           equal_reversed(block.subspan(kEcPointAt, kEcCoordinate),
                          key.material().first(kEcCoordinate)) &&
           equal_reversed(block.subspan(kEcPointAt + kEcCoordinate, kEcCoordinate),
                          key.material().last(kEcCoordinate));
}

// The signature of a block as PSA takes it; returns its length.
size_t signature_of(KeyKind kind, Bytes block, std::array<uint8_t, kRsaBytes>& out) {
    if (kind == KeyKind::kRsa3072) {
        const Bytes signature = block.subspan(kRsaSignatureAt, kRsaBytes);
        std::reverse_copy(signature.begin(), signature.end(), out.begin());
        return kRsaBytes;
    }
    const Bytes r = block.subspan(kEcSignatureAt, kEcCoordinate);
    const Bytes s = block.subspan(kEcSignatureAt + kEcCoordinate, kEcCoordinate);
    std::reverse_copy(r.begin(), r.end(), out.begin());
    std::reverse_copy(s.begin(), s.end(), out.begin() + kEcCoordinate);
    return 2 * kEcCoordinate;
}

Status check_block(Bytes block, const Digest& digest, const TrustStore& trusted) {
    if (block[0] != layout::kSignatureMagic) return fault(Detail::kSignatureMissing);
    const bool known = block[1] == layout::kSignatureRsa || block[1] == layout::kSignatureEcdsa;
    if (!known || crc32(0, block.first(kCrcAt)) != load_le32(&block[kCrcAt])) {
        return fault(Detail::kSignatureBlock);
    }
    if (!equal_constant_time(block.subspan(kDigestAt, digest.size()), digest)) {
        return fault(Detail::kSignatureDigest);
    }
    for (const TrustedKey& key : trusted.keys()) {
        if (!matches(key, block)) continue;
        std::array<uint8_t, kRsaBytes> signature;
        const size_t length = signature_of(key.kind, block, signature);
        if (signature_holds(key, digest, Bytes(signature).first(length))) return {};
    }
    return fault(Detail::kSignatureUntrusted);
}

}  // namespace

Status verify_secure_boot_signature(ImageReader& image, uint64_t offset, const Digest& digest,
                                    const TrustStore& trusted) {
    if (trusted.keys().empty()) return fault(Detail::kNoTrustedKey);
    Status best = fault(Detail::kSignatureMissing);
    for (uint32_t i = 0; i < layout::kMaxSignatureBlocks; ++i) {
        std::array<uint8_t, layout::kSignatureBlockSize> block;
        OTA_TRY(image.read_at(offset + uint64_t{i} * layout::kSignatureBlockSize, block));
        const Status status = check_block(block, digest, trusted);
        if (status.ok()) return status;
        if (status.detail() > best.detail()) best = status;
    }
    return best;
}

}  // namespace ota
