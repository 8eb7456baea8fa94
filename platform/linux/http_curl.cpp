#include "linux/http_curl.hpp"

#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include <charconv>
#include <csignal>

namespace ota {
namespace {

constexpr Status fault(Code code, Detail detail) {
    return {code, Origin::kSource, detail};
}

std::string_view trim(std::string_view text) {
    const size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// HTTP/1.1 206 Partial Content
uint16_t status_of(std::string_view line) {
    const size_t blank = line.find(' ');
    uint16_t status = 0;
    if (blank == std::string_view::npos) return 0;
    const std::string_view rest = line.substr(blank + 1);
    (void)std::from_chars(rest.data(), rest.data() + std::min<size_t>(rest.size(), 3), status);
    return status;
}

// Bytes of socket buffers; Linux doubles them for its own use (socket(7)).
constexpr int kLittle = 8192;
constexpr int kMuch = 131072;

// A name and a value of the configuration, a conditional request of all known packages, or a token
// of AWS.
constexpr size_t kMaxLine = 2304;
constexpr Status kNoMemory = fault(Code::kUnavailable, Detail::kOutOfMemory);

void set_receive_buffer(curl_socket_t socket, int size) {
    (void)setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

}  // namespace

CurlHttpClient::CurlHttpClient() {
    // A server that is gone is an error to be told, not a signal that ends the process. OpenSSL
    // writes without MSG_NOSIGNAL, and libcurl with CURLOPT_NOSIGNAL does not shield it.
    (void)std::signal(SIGPIPE, SIG_IGN);
}

CurlHttpClient::~CurlHttpClient() {
    close();
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
    forget_fields();
}

// Credentials are among them.
void CurlHttpClient::forget_fields() {
    for (curl_slist* field = fields_; field != nullptr; field = field->next) {
        OPENSSL_cleanse(field->data, std::strlen(field->data));
    }
    curl_slist_free_all(fields_);
    fields_ = nullptr;
}

// ---------------------------------------------------------------- request

Status CurlHttpClient::start(const HttpRequest& request, HttpHeadSink& head) {
    close();
    if (multi_ == nullptr) multi_ = curl_multi_init();
    if (easy_ == nullptr) easy_ = curl_easy_init();
    if (multi_ == nullptr || easy_ == nullptr) return kNoMemory;
    curl_easy_reset(easy_);  // connections, TLS sessions and names stay cached
    head_ = &head;
    head_complete_ = paused_ = done_ = false;
    proven_at_ = 0;
    body_from_ = body_to_ = 0;
    result_ = CURLE_OK;
    judged_at_ = request.tls.judged_at;
    wants_little_ = request.wants_little;
    if (!set_options(request)) return kNoMemory;
    // A check that can't be switched on must not be missing.
    if (!set_tls(request.tls)) return fault(Code::kRefused, Detail::kTlsHandshake);
    if (!set_fields(request.fields) || !set_body(request.body)) return kNoMemory;
    if (curl_multi_add_handle(multi_, easy_) != CURLM_OK) return kNoMemory;
    attached_ = true;
    return {};
}

bool CurlHttpClient::set_options(const HttpRequest& request) {
    curl_easy_setopt(easy_, CURLOPT_PATH_AS_IS, 1L);  // signed URLs stay byte for byte
    curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
    curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    // A name server that does not answer must not hold up the end of the process.
    curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy_, CURLOPT_NETRC, long{CURL_NETRC_IGNORED});
    curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(easy_, CURLOPT_SOCKOPTFUNCTION, on_socket);
    curl_easy_setopt(easy_, CURLOPT_SOCKOPTDATA, this);
    error_[0] = '\0';
    curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_.data());
    // libcurl copies these. The configuration alone says where requests go, not the environment.
    return curl_easy_setopt(easy_, CURLOPT_URL, request.url) == CURLE_OK &&
           curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
           curl_easy_setopt(easy_, CURLOPT_PROXY, "") == CURLE_OK;
}

// Before the connection is made, so that it counts for the first window: a server without ranges
// sends the whole package to who wants to look at its first bytes.
int CurlHttpClient::on_socket(void* self, curl_socket_t socket, curlsocktype) {
    if (static_cast<CurlHttpClient*>(self)->wants_little_) set_receive_buffer(socket, kLittle);
    return CURL_SOCKOPT_OK;
}

// The connection of a look may go on to the download.
void CurlHttpClient::widen_window() {
    long made = 0;
    curl_socket_t socket = CURL_SOCKET_BAD;
    curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &made);
    curl_easy_getinfo(easy_, CURLINFO_ACTIVESOCKET, &socket);
    if (made == 0 && socket != CURL_SOCKET_BAD) set_receive_buffer(socket, kMuch);
}

bool CurlHttpClient::set_tls(const HttpTls& tls) {
    bool ok = true;
    const auto set = [&](CURLoption option, auto value) {
        ok = curl_easy_setopt(easy_, option, value) == CURLE_OK && ok;
    };
    const auto set_pem = [&](CURLoption option, const char* pem) {
        if (pem == nullptr) return;
        // libcurl keeps its own copy: the connection may outlive this request.
        curl_blob blob = {const_cast<char*>(pem), std::strlen(pem), CURL_BLOB_COPY};
        set(option, &blob);
    };
    set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_SSL_CTX_FUNCTION, on_tls);
    set(CURLOPT_SSL_CTX_DATA, this);
    set_pem(CURLOPT_CAINFO_BLOB, tls.ca_pem);
    // Given anchors replace the system's store; libcurl would trust its folder besides.
    if (tls.ca_pem != nullptr) set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
    set_pem(CURLOPT_SSLCERT_BLOB, tls.client_cert_pem);
    set_pem(CURLOPT_SSLKEY_BLOB, tls.client_key_pem);
    if (tls.pinned_key_sha256 != nullptr) {
        FixedString<64> pin("sha256//");
        pin.append(tls.pinned_key_sha256);
        set(CURLOPT_PINNEDPUBLICKEY, pin.c_str());
    }
    return ok;
}

// Certificates are judged at the given time, which a device without a set clock does not have. And
// records of 4 KiB (RFC 6066 4): what a broken connection loses is the record under way, and a
// device's TLS needs no larger buffer.
CURLcode CurlHttpClient::on_tls(CURL*, void* tls_context, void* self) {
    auto* context = static_cast<SSL_CTX*>(tls_context);
    X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(context),
                               static_cast<CurlHttpClient*>(self)->judged_at_);
    SSL_CTX_set_tlsext_max_fragment_length(context, TLSEXT_max_fragment_length_4096);
    return CURLE_OK;
}

bool CurlHttpClient::set_fields(std::span<const HttpField> fields) {
    forget_fields();
    for (const HttpField& field : fields) {
        FixedString<kMaxLine> line(field.name);
        const bool fits =
            line.try_append(": ") && line.try_append(field.prefix) && line.try_append(field.value);
        if (!fits) return false;
        curl_slist* longer = curl_slist_append(fields_, line.c_str());
        OPENSSL_cleanse(&line, sizeof line);
        if (longer == nullptr) return false;
        fields_ = longer;
    }
    curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, fields_);
    return true;
}

bool CurlHttpClient::set_body(std::span<const Bytes> body) {
    sent_.clear();
    sent_piece_ = sent_at_ = 0;
    if (body.empty()) return true;
    curl_off_t size = 0;
    for (const Bytes piece : body) {
        if (!sent_.push_back(piece)) return false;
        size += static_cast<curl_off_t>(piece.size());
    }
    // libcurl would ask for an interim answer before it sends a large body (RFC 9110 10.1.1).
    curl_slist* longer = curl_slist_append(fields_, "Expect:");
    if (longer == nullptr) return false;
    fields_ = longer;
    curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, fields_);
    curl_easy_setopt(easy_, CURLOPT_POST, 1L);
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, size);
    curl_easy_setopt(easy_, CURLOPT_READFUNCTION, on_send);
    curl_easy_setopt(easy_, CURLOPT_READDATA, this);
    curl_easy_setopt(easy_, CURLOPT_SEEKFUNCTION, on_rewind);
    curl_easy_setopt(easy_, CURLOPT_SEEKDATA, this);
    return true;
}

size_t CurlHttpClient::on_send(char* bytes, size_t size, size_t count, void* self) {
    return static_cast<CurlHttpClient*>(self)->give_body(
        {reinterpret_cast<uint8_t*>(bytes), size * count});
}

size_t CurlHttpClient::give_body(MutableBytes out) {
    size_t given = 0;
    while (given < out.size() && sent_piece_ < sent_.size()) {
        const Bytes rest = sent_[sent_piece_].subspan(sent_at_);
        const size_t n = std::min(rest.size(), out.size() - given);
        std::copy_n(rest.begin(), n, out.begin() + static_cast<std::ptrdiff_t>(given));
        given += n;
        sent_at_ += n;
        if (n != rest.size()) break;
        ++sent_piece_;
        sent_at_ = 0;
    }
    return given;
}

// A connection that was kept alive turned out to be closed: the body goes once more.
int CurlHttpClient::on_rewind(void* self, curl_off_t offset, int origin) {
    if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
    auto& client = *static_cast<CurlHttpClient*>(self);
    client.sent_piece_ = client.sent_at_ = 0;
    return CURL_SEEKFUNC_OK;
}

// ---------------------------------------------------------------- answer

size_t CurlHttpClient::on_header(char* line, size_t size, size_t count, void* self) {
    static_cast<CurlHttpClient*>(self)->take_header({line, size * count});
    return size * count;
}

void CurlHttpClient::take_header(std::string_view line) {
    if (head_complete_) return;  // a trailer
    if (line.starts_with("HTTP/")) {
        status_ = status_of(line);
        return head_->on_status(status_);
    }
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
        return head_->on_field(line.substr(0, colon), trim(line.substr(colon + 1)));
    }
    if (!trim(line).empty()) return;
    if (status_ < 200) return;
    head_complete_ = true;
    proven_at_ = is_new_session() ? judged_at_ : 0;
    if (!wants_little_) widen_window();  // after an interim head another one follows
}

// Neither a connection kept alive nor a resumed TLS session has its certificate looked at.
bool CurlHttpClient::is_new_session() const {
    long made = 0;
    curl_tlssessioninfo* session = nullptr;
    curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &made);
    curl_easy_getinfo(easy_, CURLINFO_TLS_SSL_PTR, &session);
    return made != 0 && session != nullptr && session->internals != nullptr &&
           SSL_session_reused(static_cast<SSL*>(session->internals)) == 0;
}

size_t CurlHttpClient::on_body(char* bytes, size_t size, size_t count, void* self) {
    return static_cast<CurlHttpClient*>(self)->take_body(
        {reinterpret_cast<const uint8_t*>(bytes), size * count});
}

size_t CurlHttpClient::take_body(Bytes bytes) {
    if (body_from_ != body_to_ || bytes.size() > body_.size()) {
        paused_ = true;
        return CURL_WRITEFUNC_PAUSE;  // offered again when the buffer is empty
    }
    std::copy(bytes.begin(), bytes.end(), body_.begin());
    body_from_ = 0;
    body_to_ = bytes.size();
    return bytes.size();
}

void CurlHttpClient::work() {
    if (!attached_ || done_) return;
    int running = 0;
    (void)curl_multi_perform(multi_, &running);
    int left = 0;
    const CURLMsg* message = curl_multi_info_read(multi_, &left);
    if (message == nullptr || message->msg != CURLMSG_DONE) return;
    done_ = true;
    result_ = message->data.result;
}

Status CurlHttpClient::await_head() {
    if (!head_complete_) work();
    if (head_complete_) return {};
    if (!done_) return fault(Code::kTryAgain, Detail::kNone);
    const Status why = outcome();
    return why.is(Code::kEndOfData) ? fault(Code::kRefused, Detail::kHttpProtocol) : why;
}

Result<size_t> CurlHttpClient::read(MutableBytes out) {
    if (body_from_ == body_to_ && paused_) {
        paused_ = false;
        curl_easy_pause(easy_, CURLPAUSE_CONT);
    }
    if (body_from_ == body_to_) work();
    const size_t n = std::min(out.size(), body_to_ - body_from_);
    if (n == 0) return done_ ? Result<size_t>(outcome()) : Result<size_t>(size_t{0});
    std::copy_n(body_.begin() + static_cast<std::ptrdiff_t>(body_from_), n, out.begin());
    body_from_ += n;
    return n;
}

void CurlHttpClient::close() {
    if (!attached_) return;
    work();  // a body that has come whole is then over, and its connection stays
    curl_multi_remove_handle(multi_, easy_);
    attached_ = false;
    OPENSSL_cleanse(body_.data(), body_.size());  // it may have held credentials
    body_from_ = body_to_ = 0;
}

// ---------------------------------------------------------------- faults

Status CurlHttpClient::outcome() const {
    if (is_certificate_alert()) return fault(Code::kUnauthenticated, Detail::kClientCertificate);
    switch (result_) {
        case CURLE_OK:
            return fault(Code::kEndOfData, Detail::kNone);
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
            return fault(Code::kUnavailable, Detail::kDnsFailed);
        case CURLE_COULDNT_CONNECT:
            return fault(Code::kUnavailable, Detail::kConnectRefused);
        case CURLE_PEER_FAILED_VERIFICATION:
            return certificate_fault();
        case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
            return fault(Code::kUntrusted, Detail::kPinMismatch);
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
            return fault(Code::kUntrusted, Detail::kCertificateIssuer);
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CLIENTCERT:
            return fault(Code::kUnauthenticated, Detail::kClientCertificate);
        case CURLE_SSL_CONNECT_ERROR:
            // A connection that broke in the handshake is none that TLS refused.
            return is_tls_error() ? fault(Code::kRefused, Detail::kTlsHandshake)
                                  : fault(Code::kUnavailable, Detail::kConnectionLost);
        case CURLE_SSL_CIPHER:
            return fault(Code::kRefused, Detail::kTlsHandshake);
        case CURLE_URL_MALFORMAT:
            return fault(Code::kRefused, Detail::kUriMalformed);
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_UNSUPPORTED_PROTOCOL:  // an answer without a status line ("HTTP/0.9")
        case CURLE_BAD_CONTENT_ENCODING:
            return fault(Code::kRefused, Detail::kHttpProtocol);
        case CURLE_OUT_OF_MEMORY:
            return kNoMemory;
        default:
            // Reset, closed, timed out: the same request may work the next time.
            return fault(Code::kUnavailable, Detail::kConnectionLost);
    }
}

// OpenSSL names what went wrong; for a reset or an early end it has no error of TLS.
bool CurlHttpClient::is_tls_error() const {
    const std::string_view text = error_.data();
    return text.find("error:") != std::string_view::npos &&
           text.find("unexpected eof") == std::string_view::npos;
}

// With TLS 1.3 a server refuses the client's certificate after the handshake (RFC 8446 4.4.2.4), in
// an alert that only OpenSSL's text tells from a lost connection.
bool CurlHttpClient::is_certificate_alert() const {
    const std::string_view text = error_.data();
    const size_t alert = text.find(" alert ");
    if (result_ == CURLE_OK || alert == std::string_view::npos) return false;
    const std::string_view name = text.substr(alert);
    return name.find("certificate") != std::string_view::npos ||
           name.find("unknown ca") != std::string_view::npos;
}

// The names of OpenSSL's verification results: openssl/x509_vfy.h. libcurl checks the host name
// itself, after the chain held.
Status CurlHttpClient::certificate_fault() const {
    long why = X509_V_OK;
    curl_easy_getinfo(easy_, CURLINFO_SSL_VERIFYRESULT, &why);
    switch (why) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return fault(Code::kUntrusted, Detail::kCertificateExpired);
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return fault(Code::kUntrusted, Detail::kCertificateNotYetValid);
        case X509_V_ERR_UNSPECIFIED:  // libcurl's value as long as the chain has not failed
        case X509_V_OK:
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            return fault(Code::kUntrusted, Detail::kCertificateHost);
        default:
            return fault(Code::kUntrusted, Detail::kCertificateIssuer);
    }
}

}  // namespace ota
