#include <sdkconfig.h>

#if defined(CONFIG_MBEDTLS_THREADING_ALT) && !defined(CONFIG_MBEDTLS_USE_CRYPTO_ROM_IMPL)
#error "CONFIG_MBEDTLS_THREADING_ALT has no header here: choose CONFIG_MBEDTLS_THREADING_PTHREAD"
#endif

#include <esp_crt_bundle.h>

#include <algorithm>
#include <ctime>

#include "base/build_options.hpp"
#include "esp_idf/esp_http.hpp"
#include "esp_idf/tls_finding.hpp"

#if (OTA_MANAGER_SOURCE_HTTPS || OTA_MANAGER_LOG_CLOUDWATCH) && \
    !defined(CONFIG_MBEDTLS_HAVE_TIME_DATE)
#error "without CONFIG_MBEDTLS_HAVE_TIME_DATE expired certificates are accepted"
#endif

namespace ota {
namespace {

constexpr Status fault(Code code, Detail detail) {
    return {code, Origin::kSource, detail};
}
constexpr Status kLost = fault(Code::kUnavailable, Detail::kConnectionLost);

constexpr int kReceiveBuffer = 4096;
// The request line with its URL, and all fields.
constexpr int kSendBuffer = static_cast<int>(build::kUri) + (build::kCloudWatch ? 4096 : 2048);

// At most so much in one call: esp_http_client fills what it is given for as long as a byte comes
// within the timeout, and a server that trickles would hold the engine up for minutes.
constexpr size_t kMostAtOnce = 512;

}  // namespace

Status EspHttpClient::start(const HttpRequest& request, HttpHeadSink& head) {
    close();
    // A check that can't be switched on must not be missing.
    if (request.tls.pinned_key_sha256 != nullptr) {
        return fault(Code::kRefused, Detail::kTlsHandshake);
    }
    esp_http_client_config_t config{};
    config.url = request.url;
    config.cert_pem = request.tls.ca_pem;
    if (config.cert_pem == nullptr) config.crt_bundle_attach = esp_crt_bundle_attach;
    config.client_cert_pem = request.tls.client_cert_pem;
    config.client_key_pem = request.tls.client_key_pem;
    config.timeout_ms = kConnectTimeout;
    config.disable_auto_redirect = true;
    config.max_authorization_retries = -1;
    config.event_handler = on_event;
    config.user_data = this;
    config.buffer_size = kReceiveBuffer;
    config.buffer_size_tx = kSendBuffer;
    config.keep_alive_enable = true;
    if (!request.body.empty()) config.method = HTTP_METHOD_POST;
    handle_ = esp_http_client_init(&config);
    if (handle_ == nullptr || !set_fields(request.fields)) {
        close();
        return fault(Code::kUnavailable, Detail::kOutOfMemory);
    }
    body_.clear();
    for (const Bytes piece : request.body) {
        if (!body_.push_back(piece)) return fault(Code::kUnavailable, Detail::kOutOfMemory);
    }
    head_ = &head;
    head_->on_status(0);
    phase_ = Phase::kConnect;
    return {};
}

// esp_http_client copies them; our own copy is wiped.
bool EspHttpClient::set_fields(std::span<const HttpField> fields) {
    for (const HttpField& field : fields) {
        SecretText<kMaxField> value(field.prefix);
        SecretText<64> name;
        const bool fits = value.try_append(field.value) && name.try_append(field.name);
        if (!fits || esp_http_client_set_header(handle_, name.c_str(), value.c_str()) != ESP_OK) {
            return false;
        }
    }
    return true;
}

esp_err_t EspHttpClient::on_event(esp_http_client_event_t* event) {
    auto& self = *static_cast<EspHttpClient*>(event->user_data);
    // Not the trailers of a chunked body.
    if (event->event_id == HTTP_EVENT_ON_HEADER && self.phase_ == Phase::kHead) {
        self.head_->on_field(event->header_key, event->header_value);
    }
    return ESP_OK;
}

Status EspHttpClient::await_head() {
    if (phase_ == Phase::kBody) return {};
    if (phase_ == Phase::kClosed) return fault(Code::kInternal, Detail::kNone);
    if (phase_ == Phase::kConnect) OTA_TRY(open());
    const int64_t length = esp_http_client_fetch_headers(handle_);
    if (length == -ESP_ERR_HTTP_EAGAIN) return fault(Code::kTryAgain, Detail::kNone);
    if (length < 0) return kLost;  // ESP-IDF 6 tells a status of heads that broke off, too
    const int status = esp_http_client_get_status_code(handle_);
    if (status < 100 || status > UINT16_MAX) return fault(Code::kRefused, Detail::kHttpProtocol);
    if (status < 200) {  // the answer comes behind it (RFC 9110 15.2)
        head_->on_status(0);
        return fault(Code::kTryAgain, Detail::kNone);
    }
    is_bodiless_ = status == 204 || status == 304;
    head_->set_status(static_cast<uint16_t>(status));
    phase_ = Phase::kBody;
    return {};
}

Status EspHttpClient::open() {
    size_t length = 0;
    for (const Bytes piece : body_) length += piece.size();
    const esp_err_t error = esp_http_client_open(handle_, static_cast<int>(length));
    if (error != ESP_OK) return why_not_open();
    for (const Bytes piece : body_) {
        const auto* bytes = reinterpret_cast<const char*>(piece.data());
        const int size = static_cast<int>(piece.size());
        if (esp_http_client_write(handle_, bytes, size) != size) return kLost;
    }
    proven_at_ = static_cast<UnixTime>(std::time(nullptr));
    (void)esp_http_client_set_timeout_ms(handle_, kReadTimeout);
    phase_ = Phase::kHead;
    return {};
}

// Why there is no connection.
Status EspHttpClient::why_not_open() {
    int library = 0;
    int flags = 0;
    const esp_err_t error = esp_http_client_get_and_clear_last_tls_error(handle_, &library, &flags);
    return tls_finding(error, library, flags);
}

Result<size_t> EspHttpClient::read(MutableBytes out) {
    if (phase_ != Phase::kBody) return fault(Code::kInternal, Detail::kNone);
    if (is_bodiless_) return fault(Code::kEndOfData, Detail::kNone);
    const int n = esp_http_client_read(handle_, reinterpret_cast<char*>(out.data()),
                                       static_cast<int>(std::min(out.size(), kMostAtOnce)));
    if (n > 0) return static_cast<size_t>(n);
    if (n == -ESP_ERR_HTTP_EAGAIN) return size_t{0};
    if (n < 0 || !esp_http_client_is_complete_data_received(handle_)) return kLost;
    return fault(Code::kEndOfData, Detail::kNone);
}

void EspHttpClient::close() {
    if (handle_ != nullptr) (void)esp_http_client_cleanup(handle_);
    handle_ = nullptr;
    phase_ = Phase::kClosed;
    is_bodiless_ = false;
    proven_at_ = 0;
}

}  // namespace ota
