#pragma once

#include "base/secret_text.hpp"
#include "ports/http_client.hpp"

namespace ota {

inline constexpr size_t kMaxCustomFields = 8;
inline constexpr size_t kMaxUser = 127;      // bytes
inline constexpr size_t kMaxPassword = 127;  // bytes

// What the device shows to its own server. There is no way to print it. Texts stay the caller's.
struct HttpCredentials {
    std::string_view user;  // Basic (RFC 7617); overrides user information in the URL
    std::string_view password;
    std::string_view bearer_token;  // RFC 6750
    std::span<const HttpField> custom_fields;
};

// The value of a Basic Authorization field without its scheme.
class BasicToken {
  public:
    BasicToken() = default;
    ~BasicToken();
    BasicToken(const BasicToken&) = default;
    BasicToken& operator=(const BasicToken&) = default;
    // False when user or password is too long, or user holds a colon.
    bool set(std::string_view user, std::string_view password);
    bool empty() const { return text_.empty(); }
    std::string_view view() const { return text_.view(); }

  private:
    // 4 characters for each 3 bytes of user:password.
    FixedString<(kMaxUser + 1 + kMaxPassword + 2) / 3 * 4> text_;
};

// user:password as URLs hold it, percent-encoded. False when it is malformed or too long.
bool split_user_info(std::string_view text, FixedString<128>& user, FixedString<128>& password);

}  // namespace ota
