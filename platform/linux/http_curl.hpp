#pragma once

#include <curl/curl.h>

#include "base/fixed.hpp"
#include "ports/http_client.hpp"

namespace ota {

// HttpClient over libcurl's multi interface with OpenSSL. Nothing here waits: every call does what
// can be done at once. The body is held back in a buffer of one curl write and paused beyond it, so
// a slow reader slows the server down, not this process's memory.
class CurlHttpClient final : public HttpClient {
  public:
    CurlHttpClient();
    ~CurlHttpClient();
    CurlHttpClient(const CurlHttpClient&) = delete;
    CurlHttpClient& operator=(const CurlHttpClient&) = delete;

    Status start(const HttpRequest& request, HttpHeadSink& head) override;
    Status await_head() override;
    UnixTime proven_at() override { return proven_at_; }
    Result<size_t> read(MutableBytes out) override;
    void close() override;

  private:
    static size_t on_header(char* line, size_t size, size_t count, void* self);
    static size_t on_body(char* bytes, size_t size, size_t count, void* self);
    static size_t on_send(char* bytes, size_t size, size_t count, void* self);
    static int on_rewind(void* self, curl_off_t offset, int origin);
    static int on_socket(void* self, curl_socket_t socket, curlsocktype purpose);
    static CURLcode on_tls(CURL* easy, void* tls_context, void* self);

    bool set_options(const HttpRequest& request);
    bool set_tls(const HttpTls& tls);
    bool set_fields(std::span<const HttpField> fields);
    bool set_body(std::span<const Bytes> body);
    size_t give_body(MutableBytes out);
    void forget_fields();
    void widen_window();
    bool is_new_session() const;
    void take_header(std::string_view line);
    size_t take_body(Bytes bytes);
    void work();
    Status outcome() const;
    bool is_tls_error() const;
    bool is_certificate_alert() const;
    Status certificate_fault() const;

    CURLM* multi_ = nullptr;  // made by the first start
    CURL* easy_ = nullptr;
    curl_slist* fields_ = nullptr;
    HttpHeadSink* head_ = nullptr;
    FixedVector<Bytes, kMaxBodyPieces> sent_;  // the body of the request
    size_t sent_piece_ = 0;                    // the next byte of it
    size_t sent_at_ = 0;
    bool attached_ = false;
    bool wants_little_ = false;
    bool head_complete_ = false;
    bool paused_ = false;
    bool done_ = false;
    CURLcode result_ = CURLE_OK;
    std::array<char, CURL_ERROR_SIZE> error_{};
    uint16_t status_ = 0;
    UnixTime proven_at_ = 0;
    UnixTime judged_at_ = 0;  // the time that certificates are held against
    std::array<uint8_t, CURL_MAX_WRITE_SIZE> body_{};
    size_t body_from_ = 0;
    size_t body_to_ = 0;
};

}  // namespace ota
