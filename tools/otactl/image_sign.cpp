// Secure Boot v2 signature blocks as Espressif's espsecure writes them (esp_secure_boot.h).
#include "image_sign.hpp"

#include <mbedtls/rsa.h>

#include <algorithm>

#include "base/crc32.hpp"
#include "mpi.hpp"
#include "ports/flash_layout.hpp"
#include "verify/image_check.hpp"

namespace otactl {
namespace {

namespace layout = ota::layout;
constexpr size_t kRsaBytes = 384;
constexpr size_t kEcBytes = 32;
constexpr size_t kCrcAt = 1196;

// -n^-1 mod 2^32 by Newton's iteration, for the chip's Montgomery multiplier.
uint32_t montgomery_factor(uint32_t n) {
    uint32_t inverse = 1;
    for (int i = 0; i < 5; ++i) inverse *= 2 - n * inverse;
    return ~inverse + 1;
}

// Of a key whose private half may be out of reach.
class PublicHalf {
  public:
    explicit PublicHalf(const PrivateKey& key) {
        mbedtls_pk_init(&pk_);
        const std::string pem = key.public_pem();
        require_mbedtls(mbedtls_pk_parse_public_key(
            &pk_, reinterpret_cast<const unsigned char*>(pem.c_str()), pem.size() + 1));
    }
    ~PublicHalf() { mbedtls_pk_free(&pk_); }
    PublicHalf(const PublicHalf&) = delete;
    PublicHalf& operator=(const PublicHalf&) = delete;
    mbedtls_rsa_context* rsa() { return mbedtls_pk_rsa(pk_); }
    mbedtls_ecp_keypair* ec() { return mbedtls_pk_ec(pk_); }

  private:
    mbedtls_pk_context pk_;
};

void fill_rsa(PrivateKey& key, const ota::Digest& digest, uint8_t* block) {
    PublicHalf half(key);
    mbedtls_rsa_context* rsa = half.rsa();
    Mpi n;
    Mpi e;
    Mpi r;
    require_mbedtls(mbedtls_rsa_export(rsa, n.get(), nullptr, nullptr, nullptr, e.get()));
    require_mbedtls(mbedtls_mpi_lset(r.get(), 1));
    require_mbedtls(mbedtls_mpi_shift_l(r.get(), kRsaBytes * 8 * 2));
    require_mbedtls(mbedtls_mpi_mod_mpi(r.get(), r.get(), n.get()));
    require_mbedtls(mbedtls_mpi_write_binary_le(n.get(), block + 36, kRsaBytes));
    require_mbedtls(mbedtls_mpi_write_binary_le(e.get(), block + 420, 4));
    require_mbedtls(mbedtls_mpi_write_binary_le(r.get(), block + 424, kRsaBytes));
    ota::store_le32(block + 808, montgomery_factor(ota::load_le32(block + 36)));
    const Buffer signature = key.sign(digest);
    std::reverse_copy(signature.begin(), signature.end(), block + 812);
}

void fill_ecdsa(PrivateKey& key, const ota::Digest& digest, uint8_t* block) {
    PublicHalf half(key);
    mbedtls_ecp_keypair* pair = half.ec();
    block[36] = 2;  // P-256
    require_mbedtls(mbedtls_mpi_write_binary_le(&pair->Q.X, block + 37, kEcBytes));
    require_mbedtls(mbedtls_mpi_write_binary_le(&pair->Q.Y, block + 37 + kEcBytes, kEcBytes));
    const Buffer signature = key.sign(digest);
    std::reverse_copy(signature.begin(), signature.begin() + kEcBytes, block + 101);
    std::reverse_copy(signature.begin() + kEcBytes, signature.end(), block + 101 + kEcBytes);
}

Buffer make_block(PrivateKey& key, const ota::Digest& digest) {
    Buffer block(layout::kSignatureBlockSize, 0);
    block[0] = layout::kSignatureMagic;
    block[1] = key.is_rsa() ? layout::kSignatureRsa : layout::kSignatureEcdsa;
    std::copy(digest.begin(), digest.end(), block.begin() + 4);
    if (key.is_rsa()) {
        fill_rsa(key, digest, block.data());
    } else {
        fill_ecdsa(key, digest, block.data());
    }
    ota::store_le32(&block[kCrcAt], ota::crc32(0, ota::Bytes(block).first(kCrcAt)));
    return block;
}

}  // namespace

Buffer sign_image(const Buffer& image, PrivateKey& key, bool append) {
    ota::ImageCheck check;
    require(check.begin(image.size(), false), "image");
    require(check.on_read_back(image), "image");
    require(check.finish(), "image");
    if (check.is_signed() && !append) {
        throw Failure(Exit::kRefused, "the image is signed already; add a block with --append");
    }
    Buffer out = image;
    ota::Digest digest = check.image_digest();
    if (!check.is_signed()) {
        // The padding up to the sector is part of what is signed.
        out.resize(ota::round_up<size_t>(out.size(), layout::kSectorSize), 0xFF);
        require(ota::sha256(out, digest), "SHA-256");
        out.resize(out.size() + layout::kSignatureSectorSize, 0xFF);
    }
    const auto sector = static_cast<size_t>(check.signature_offset());
    for (size_t i = 0; i < layout::kMaxSignatureBlocks; ++i) {
        const size_t at = sector + i * layout::kSignatureBlockSize;
        if (out[at] == layout::kSignatureMagic) continue;
        const Buffer block = make_block(key, digest);
        std::copy(block.begin(), block.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
        return out;
    }
    throw Failure(Exit::kRefused, "all three signature blocks are used");
}

}  // namespace otactl
