// One HTTP/1.1 exchange over TLS at a time. Redirects, credentials, ranges and the meaning of every
// status are decided by who asks (sources/https), so that they are the same on every platform.
#pragma once

#include "base/bytes.hpp"
#include "base/status.hpp"
#include "ports/clock.hpp"

namespace ota {

// One field of a request; the value is prefix and value put together ("Bearer " and the token).
// Values may be secret: an implementation never writes them to a log.
struct HttpField {
    std::string_view name;
    std::string_view prefix;
    std::string_view value;
};

// Texts are PEM, NUL-terminated, and stay the caller's. TLS 1.2 or newer, always with verification
// of the certificate chain and of the host name (RFC 9110 4.3.4).
struct HttpTls {
    const char* ca_pem = nullptr;           // trust anchors; null: the platform's store
    const char* client_cert_pem = nullptr;  // null: none
    const char* client_key_pem = nullptr;
    const char* pinned_key_sha256 = nullptr;  // base64 of the server's SubjectPublicKeyInfo digest
    UnixTime judged_at = 0;                   // the time at which certificates have to be valid
};

struct HttpRequest {
    const char* url = nullptr;  // https, absolute, without user information; sent byte for byte
    std::span<const HttpField> fields;
    HttpTls tls;
    // Only the first bytes of the body are of use, although the server may send more: as little as
    // possible is taken off the wire.
    bool wants_little = false;
    // Not empty: a POST of these bytes in a row, at most four pieces, instead of a GET. The bytes
    // have to stay until the head is complete.
    std::span<const Bytes> body{};
};

inline constexpr size_t kMaxBodyPieces = 4;

class HttpHeadSink {
  public:
    // A new head begins, also after an interim one (1xx).
    virtual void on_status(uint16_t status) = 0;
    // name as sent (compare without regard to case); value without surrounding white space.
    virtual void on_field(std::string_view name, std::string_view value) = 0;
    // The status of a head that began with 0, where the library tells it after the fields.
    virtual void set_status(uint16_t status) = 0;

  protected:
    ~HttpHeadSink() = default;
};

// Engine context; nothing blocks on Linux, on ESP-IDF connecting may take the connect timeout.
// Failures of await_head and read: kUnavailable / kDnsFailed, kConnectRefused, kConnectionLost,
// kOutOfMemory;
// kUntrusted / kCertificate…, kPinMismatch; kUnauthenticated / kClientCertificate; kRefused /
// kTlsHandshake, kHttpProtocol. After one only start and close make sense.
class HttpClient {
  public:
    // Sends a request; what was under way is closed first. request need not outlive the call,
    // except the texts of request.tls and the bytes of request.body; head is filled until
    // await_head is done.
    virtual Status start(const HttpRequest& request, HttpHeadSink& head) = 0;

    // kTryAgain until the final head is complete.
    virtual Status await_head() = 0;

    // After await_head was ok: the time at which the server's certificate was judged for this very
    // connection; 0 when an earlier connection or TLS session was used again, which proves nothing.
    virtual UnixTime proven_at() = 0;

    // n > 0: bytes of the body, transfer coding undone; 0: nothing yet; kEndOfData: the body ended
    // as announced (or, when nothing was announced, the connection did).
    virtual Result<size_t> read(MutableBytes out) = 0;

    // After a whole body the connection may stay for the next request to the same server.
    virtual void close() = 0;

  protected:
    ~HttpClient() = default;
};

}  // namespace ota
