#include "sources/https/credentials.hpp"

#include <mbedtls/base64.h>
#include <mbedtls/platform_util.h>

#include "wire/uri.hpp"

namespace ota {

BasicToken::~BasicToken() {
    mbedtls_platform_zeroize(&text_, sizeof text_);
}

bool BasicToken::set(std::string_view user, std::string_view password) {
    text_.clear();
    if (user.empty() || user.size() > kMaxUser || password.size() > kMaxPassword) return false;
    if (user.find(':') != std::string_view::npos) return false;
    SecretText<kMaxUser + 1 + kMaxPassword> plain(user);
    plain.append(":");
    plain.append(password);
    std::array<uint8_t, 352> encoded;
    size_t length = 0;
    const Bytes bytes = as_bytes(plain.view());
    const bool fits = mbedtls_base64_encode(encoded.data(), encoded.size(), &length, bytes.data(),
                                            bytes.size()) == 0 &&
                      text_.try_append({reinterpret_cast<const char*>(encoded.data()), length});
    mbedtls_platform_zeroize(encoded.data(), encoded.size());
    return fits;
}

bool split_user_info(std::string_view text, FixedString<128>& user, FixedString<128>& password) {
    const size_t colon = std::min(text.find(':'), text.size());
    const std::string_view rest = text.substr(colon);
    return percent_decode(text.substr(0, colon), user) &&
           percent_decode(rest.empty() ? rest : rest.substr(1), password);
}

}  // namespace ota
