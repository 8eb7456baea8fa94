#include "keys.hpp"

#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/rsa.h>

#include <array>

#include "mpi.hpp"

namespace otactl {
namespace {

constexpr unsigned kRsaBits = 3072;
constexpr int kRsaExponent = 65537;
constexpr size_t kMaxPem = 8192;

std::string write_pem(int (*write)(mbedtls_pk_context*, unsigned char*, size_t),
                      const mbedtls_pk_context& key) {
    std::array<unsigned char, kMaxPem> text{};
    if (write(const_cast<mbedtls_pk_context*>(&key), text.data(), text.size()) != 0) {
        throw Failure(Exit::kMalformed, "the key can't be written as PEM");
    }
    return reinterpret_cast<const char*>(text.data());
}

constexpr size_t kRsaBytes = kRsaBits / 8;
constexpr size_t kEcBytes = 32;

}  // namespace

std::string name_of_key(const std::string& path) {
    return HsmKey::is_uri(path) ? path.substr(0, path.find('?')) : path;
}

Random::Random() {
    mbedtls_entropy_init(&entropy_);
    mbedtls_ctr_drbg_init(&drbg_);
    if (mbedtls_ctr_drbg_seed(&drbg_, mbedtls_entropy_func, &entropy_, nullptr, 0) != 0) {
        throw Failure(Exit::kIo, "no entropy");
    }
}

Random::~Random() {
    mbedtls_ctr_drbg_free(&drbg_);
    mbedtls_entropy_free(&entropy_);
}

PrivateKey::PrivateKey() {
    mbedtls_pk_init(&key_);
}

PrivateKey::~PrivateKey() {
    mbedtls_pk_free(&key_);
}

PrivateKey::PrivateKey(PrivateKey&& other) noexcept
    : key_(other.key_), hsm_(std::move(other.hsm_)) {
    mbedtls_pk_init(&other.key_);
}

PrivateKey PrivateKey::load(const std::string& path) {
    PrivateKey key;
    if (HsmKey::is_uri(path)) {
        key.hsm_ = HsmKey::open(path);
        return key;
    }
    const std::string pem = read_text(path);
    const auto* text = reinterpret_cast<const unsigned char*>(pem.c_str());
    if (mbedtls_pk_parse_key(&key.key_, text, pem.size() + 1, nullptr, 0) != 0) {
        throw Failure(
            Exit::kMalformed,
            path + " is not an unencrypted private key in PEM (make one with otactl keygen)");
    }
    key.check_kind(path);
    return key;
}

void PrivateKey::check_kind(const std::string& subject) const {
    const mbedtls_pk_type_t type = mbedtls_pk_get_type(&key_);
    const bool rsa = type == MBEDTLS_PK_RSA && mbedtls_pk_get_bitlen(&key_) == kRsaBits;
    const bool p256 =
        type == MBEDTLS_PK_ECKEY && mbedtls_pk_ec(key_)->grp.id == MBEDTLS_ECP_DP_SECP256R1;
    if (!rsa && !p256) {
        throw Failure(Exit::kMalformed,
                      subject + ": only RSA-3072 and ECDSA P-256 keys sign images");
    }
}

PrivateKey PrivateKey::generate(const std::string& type) {
    Random random;
    PrivateKey key;
    const bool rsa = type == "rsa3072";
    const auto* info = mbedtls_pk_info_from_type(rsa ? MBEDTLS_PK_RSA : MBEDTLS_PK_ECKEY);
    int error = mbedtls_pk_setup(&key.key_, info);
    if (error == 0 && rsa) {
        error = mbedtls_rsa_gen_key(mbedtls_pk_rsa(key.key_), mbedtls_ctr_drbg_random,
                                    random.context(), kRsaBits, kRsaExponent);
    } else if (error == 0) {
        error = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key.key_),
                                    mbedtls_ctr_drbg_random, random.context());
    }
    if (error != 0) throw Failure(Exit::kIo, "the key can't be generated");
    return key;
}

bool PrivateKey::is_rsa() const {
    return hsm_ != nullptr ? hsm_->is_rsa() : mbedtls_pk_get_type(&key_) == MBEDTLS_PK_RSA;
}

Buffer PrivateKey::sign(const ota::Digest& digest) {
    if (hsm_ != nullptr) return hsm_->sign(digest);
    Random random;
    if (is_rsa()) {
        mbedtls_rsa_context* rsa = mbedtls_pk_rsa(key_);
        mbedtls_rsa_set_padding(rsa, MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA256);
        Buffer out(kRsaBytes);
        require_mbedtls(mbedtls_rsa_rsassa_pss_sign_ext(
            rsa, mbedtls_ctr_drbg_random, random.context(), MBEDTLS_MD_SHA256,
            static_cast<unsigned>(digest.size()), digest.data(), static_cast<int>(digest.size()),
            out.data()));
        return out;
    }
    mbedtls_ecp_keypair* pair = mbedtls_pk_ec(key_);
    Mpi r;
    Mpi s;
    require_mbedtls(mbedtls_ecdsa_sign_det_ext(&pair->grp, r.get(), s.get(), &pair->d,
                                               digest.data(), digest.size(), MBEDTLS_MD_SHA256,
                                               mbedtls_ctr_drbg_random, random.context()));
    Buffer out(2 * kEcBytes);
    require_mbedtls(mbedtls_mpi_write_binary(r.get(), out.data(), kEcBytes));
    require_mbedtls(mbedtls_mpi_write_binary(s.get(), out.data() + kEcBytes, kEcBytes));
    return out;
}

std::string PrivateKey::private_pem() const {
    return write_pem(mbedtls_pk_write_key_pem, key_);
}

std::string PrivateKey::public_pem() const {
    return hsm_ != nullptr ? hsm_->public_pem() : write_pem(mbedtls_pk_write_pubkey_pem, key_);
}

}  // namespace otactl
