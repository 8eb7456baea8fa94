// A device's own key pair, made on the device, and the request for its certificate.
#pragma once

#include "base/fixed.hpp"
#include "base/secret_text.hpp"
#include "base/status.hpp"

namespace ota {

using KeyPem = SecretText<256>;
using RequestPem = FixedString<768>;
inline constexpr size_t kMaxCommonName = 64;  // RFC 5280 A.1, ub-common-name

// A new P-256 key as ECPrivateKey (RFC 5915) and a certification request with its signature (PKCS
// #10, RFC 2986; ecdsa-with-SHA256, RFC 5758), both as PEM (RFC 7468). Through PSA alone, whose
// random numbers it takes. common_name: 1…64 characters of UTF-8. kInternal: PSA refused.
Status make_device_key(std::string_view common_name, KeyPem& key, RequestPem& request);

}  // namespace ota
