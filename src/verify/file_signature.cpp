#include "verify/file_signature.hpp"

#include <mbedtls/base64.h>

#include "verify/signature.hpp"

namespace ota {
namespace {

constexpr Status kNoGood{Code::kUntrusted, Origin::kVerify, Detail::kCodeSignature};
constexpr size_t kScalar = 32;                    // of P-256
constexpr size_t kMaxDer = 2 + 2 * (2 + 1 + 32);  // SEQUENCE of two INTEGERs
constexpr uint8_t kSequence = 0x30;
constexpr uint8_t kInteger = 0x02;

// Takes one INTEGER that is not negative off in, as DER has it: no needless leading zero
// (X.690 8.3.2).
bool take_scalar(Bytes& in, std::span<uint8_t, kScalar> out) {
    if (in.size() < 2 || in[0] != kInteger || in[1] == 0 || in[1] > in.size() - 2) return false;
    Bytes number = in.subspan(2, in[1]);
    in = in.subspan(2 + number.size());
    if ((number[0] & 0x80) != 0) return false;
    if (number[0] == 0 && number.size() > 1) {
        number = number.subspan(1);
        if ((number[0] & 0x80) == 0) return false;
    }
    if (number.size() > kScalar) return false;
    std::fill(out.begin(), out.end(), uint8_t{0});
    std::copy(number.begin(), number.end(), out.end() - static_cast<std::ptrdiff_t>(number.size()));
    return true;
}

bool take_ecdsa(Bytes der, std::span<uint8_t, 2 * kScalar> out) {
    if (der.size() < 2 || der[0] != kSequence || der[1] != der.size() - 2) return false;
    Bytes rest = der.subspan(2);
    return take_scalar(rest, out.first<kScalar>()) && take_scalar(rest, out.last<kScalar>()) &&
           rest.empty();
}

}  // namespace

Status FileSignature::set_key(std::string_view pem) {
    TrustedKey key;
    OTA_TRY(load_public_key(pem, key));
    key_ = key;
    return {};
}

Status FileSignature::take(std::string_view base64) {
    size_ = 0;
    if (!key_) return {};
    size_t length = 0;
    const auto* text = reinterpret_cast<const unsigned char*>(base64.data());
    if (mbedtls_base64_decode(bytes_.data(), bytes_.size(), &length, text, base64.size()) != 0) {
        return kNoGood;
    }
    if (key_->kind == KeyKind::kRsa3072) {
        if (length != bytes_.size()) return kNoGood;
        size_ = length;
        return {};
    }
    std::array<uint8_t, kMaxDer> der;
    if (length > der.size()) return kNoGood;
    std::copy_n(bytes_.begin(), length, der.begin());
    const auto raw = std::span(bytes_).first<2 * kScalar>();
    if (!take_ecdsa(Bytes(der).first(length), raw)) return kNoGood;
    size_ = raw.size();
    return {};
}

Status FileSignature::check(const Digest& file) const {
    if (!is_taken()) return {};
    return signature_holds(*key_, file, Bytes(bytes_).first(size_), RsaPadding::kPkcs1) ? kOkStatus
                                                                                        : kNoGood;
}

}  // namespace ota
