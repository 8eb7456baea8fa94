#include "esp_idf/tls_finding.hpp"

#include <esp_tls_errors.h>

#include <ctime>

#include "ports/clock.hpp"

namespace ota {
namespace {

constexpr Status fault(Code code, Detail detail) {
    return {code, Origin::kSource, detail};
}

// What mbedTLS returned, negated (mbedtls/x509.h, ssl.h, net_sockets.h).
constexpr int kChainRefused = 0x2700;   // MBEDTLS_ERR_X509_CERT_VERIFY_FAILED
constexpr int kNoTrustAnchor = 0x7680;  // MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED
constexpr int kReceiveFailed = 0x4C;    // MBEDTLS_ERR_NET_RECV_FAILED
constexpr int kSendFailed = 0x4E;       // MBEDTLS_ERR_NET_SEND_FAILED
constexpr int kReset = 0x50;            // MBEDTLS_ERR_NET_CONN_RESET
constexpr int kClosed = 0x7280;         // MBEDTLS_ERR_SSL_CONN_EOF

// mbedtls/x509.h, MBEDTLS_X509_BADCERT_*: what verification has found.
constexpr int kExpired = 0x01;
constexpr int kOtherHost = 0x04;
constexpr int kNotTrusted = 0x08;
constexpr int kNotYetValid = 0x0200;

}  // namespace

Status tls_finding(esp_err_t error, int library, int flags) {
    if ((flags & kNotYetValid) != 0)
        return fault(Code::kUntrusted, Detail::kCertificateNotYetValid);
    if ((flags & kExpired) != 0) return fault(Code::kUntrusted, Detail::kCertificateExpired);
    if ((flags & kOtherHost) != 0) return fault(Code::kUntrusted, Detail::kCertificateHost);
    if ((flags & kNotTrusted) != 0) return fault(Code::kUntrusted, Detail::kCertificateIssuer);
    // esp-tls 5.5.2 and later forget the flags of a handshake that failed.
    if (library == kChainRefused) {
        const bool no_clock = std::time(nullptr) < kFirstBuild;
        return fault(Code::kUntrusted,
                     no_clock ? Detail::kCertificateNotYetValid : Detail::kCertificateRefused);
    }
    if (library == kNoTrustAnchor) return fault(Code::kUntrusted, Detail::kCertificateIssuer);
    const bool network = library == kReceiveFailed || library == kSendFailed || library == kReset ||
                         library == kClosed;
    if (network) return fault(Code::kUnavailable, Detail::kConnectionLost);
    switch (error) {
        case ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME:
            return fault(Code::kUnavailable, Detail::kDnsFailed);
        case ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST:
        case ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT:
            return fault(Code::kUnavailable, Detail::kConnectRefused);
        case ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED:
            return fault(Code::kRefused, Detail::kTlsHandshake);
        default:
            return fault(Code::kUnavailable, Detail::kConnectionLost);
    }
}

}  // namespace ota
