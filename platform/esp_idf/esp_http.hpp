// HttpClient over esp_http_client (components/esp_http_client).
#pragma once

#include <esp_http_client.h>

#include "base/build_options.hpp"
#include "base/secret_text.hpp"
#include "ports/http_client.hpp"

namespace ota {

// Connecting, TLS included, holds the engine up for as long as kConnectTimeout; headers and a piece
// of the body for kReadTimeout, or, where bytes trickle, for as long as each comes within it. Each
// request makes its own connection.
//
// What differs from the twin. A pin of the server's key is refused: esp_http_client has no place
// for it. Certificates are judged by the system's time, so that a device whose clock is not set is
// told to set it; what is wrong with one is not told apart since ESP-IDF 5.5.2. A connection that
// is cut where no length was announced looks like the end of the body: the image's own checks find
// it. Trailers that arrive with the head are taken for fields of it.
class EspHttpClient final : public HttpClient {
  public:
    ~EspHttpClient() { close(); }

    Status start(const HttpRequest& request, HttpHeadSink& head) override;
    Status await_head() override;
    UnixTime proven_at() override { return proven_at_; }
    Result<size_t> read(MutableBytes out) override;
    void close() override;

  private:
    enum class Phase : uint8_t { kClosed, kConnect, kHead, kBody };
    static constexpr int kConnectTimeout = 10000;  // ms
    static constexpr int kReadTimeout = 50;        // ms
    // A value; the longest is a token, and those of AWS are longer still.
    static constexpr size_t kMaxField = build::kCloudWatch ? 2048 : 512;

    static esp_err_t on_event(esp_http_client_event_t* event);
    bool set_fields(std::span<const HttpField> fields);
    Status open();
    Status why_not_open();

    esp_http_client_handle_t handle_ = nullptr;
    HttpHeadSink* head_ = nullptr;
    FixedVector<Bytes, kMaxBodyPieces> body_;  // of the request
    Phase phase_ = Phase::kClosed;
    bool is_bodiless_ = false;
    UnixTime proven_at_ = 0;
};

}  // namespace ota
