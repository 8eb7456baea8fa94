// What esp-tls says of a connection that it could not make, in the project's words.
#pragma once

#include <esp_err.h>

#include "base/status.hpp"

namespace ota {

// error: of esp-tls; library: what mbedTLS returned, negated; flags: MBEDTLS_X509_BADCERT_….
// kUntrusted with what is wrong with the server's certificate; kUnavailable: the network, a name,
// nobody there; kRefused / kTlsHandshake. Whatever else: kUnavailable / kConnectionLost.
Status tls_finding(esp_err_t error, int library, int flags);

}  // namespace ota
