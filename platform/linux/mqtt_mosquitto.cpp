#include "linux/mqtt_mosquitto.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace ota {
namespace {

constexpr int kLeastKeepAlive = 5;          // s, libmosquitto's
constexpr int kLongestWait = 200;           // ms; publish() and close() end it
constexpr uint32_t kGreetingPause = 20000;  // µs

constexpr Status fault(Code code, Detail detail) {
    return {code, Origin::kSource, detail};
}

template <auto kFree>
struct Freed {
    template <typename T>
    void operator()(T* object) const {
        kFree(object);
    }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

Bio open_pem(const char* pem) {
    return Bio(BIO_new_mem_buf(pem, -1));
}

bool add_anchors(SSL_CTX* tls, const char* pem) {
    if (pem == nullptr) return SSL_CTX_set_default_verify_paths(tls) == 1;
    const Bio bio = open_pem(pem);
    X509_STORE* store = SSL_CTX_get_cert_store(tls);
    int count = 0;
    while (bio) {
        const Certificate anchor(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
        if (!anchor) break;
        count += X509_STORE_add_cert(store, anchor.get());
    }
    ERR_clear_error();  // the end of the file
    return count != 0;
}

bool add_identity(SSL_CTX* tls, const char* certificate, const char* key) {
    if (certificate == nullptr || key == nullptr) return true;
    const Bio own = open_pem(certificate);
    const Bio secret = open_pem(key);
    if (!own || !secret) return false;
    const Certificate parsed(PEM_read_bio_X509(own.get(), nullptr, nullptr, nullptr));
    // An encrypted key is refused, and nobody is asked on a terminal.
    const auto no_password = [](char*, int, int, void*) { return 0; };
    const PrivateKey pair(PEM_read_bio_PrivateKey(secret.get(), nullptr, no_password, nullptr));
    const bool good = parsed && pair && SSL_CTX_use_certificate(tls, parsed.get()) == 1 &&
                      SSL_CTX_use_PrivateKey(tls, pair.get()) == 1 &&
                      SSL_CTX_check_private_key(tls) == 1;
    // What follows signs it: AWS registers a thing's first connection by that.
    while (good) {
        X509* const signer = PEM_read_bio_X509(own.get(), nullptr, nullptr, nullptr);
        if (signer == nullptr) break;
        if (SSL_CTX_add_extra_chain_cert(tls, signer) != 1) X509_free(signer);
    }
    ERR_clear_error();
    return good;
}

// RFC 7301: length and name.
bool set_alpn(SSL_CTX* tls, const char* alpn) {
    if (alpn == nullptr) return true;
    std::vector<unsigned char> list(1 + std::strlen(alpn));
    list[0] = static_cast<unsigned char>(list.size() - 1);
    std::memcpy(&list[1], alpn, list.size() - 1);
    return SSL_CTX_set_alpn_protos(tls, list.data(), static_cast<unsigned>(list.size())) == 0;
}

Status why_of(int error) {
    switch (error) {
        case MOSQ_ERR_EAI:
            return fault(Code::kUnavailable, Detail::kDnsFailed);
        case MOSQ_ERR_TLS:
            return fault(Code::kUntrusted, Detail::kCertificateRefused);
        case MOSQ_ERR_ERRNO:
            return fault(Code::kUnavailable,
                         errno == ECONNREFUSED ? Detail::kConnectRefused : Detail::kConnectionLost);
        default:
            return fault(Code::kUnavailable, Detail::kConnectionLost);
    }
}

bool is_connected(int socket) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    return getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
}

bool is_hung_up(int socket) {
    pollfd waiting{socket, 0, 0};  // these two are always told
    return poll(&waiting, 1, 0) == 1 && (waiting.revents & (POLLHUP | POLLERR)) != 0;
}

}  // namespace

MosquittoClient::MosquittoClient(uint32_t time_scale) : time_scale_(time_scale) {
    mosquitto_lib_init();
}

MosquittoClient::~MosquittoClient() {
    close();
    mosquitto_lib_cleanup();
}

bool MosquittoClient::make_tls(const HttpTls& tls, const char* alpn) {
    tls_ = SSL_CTX_new(TLS_client_method());
    if (tls_ == nullptr) return false;
    SSL_CTX_set_min_proto_version(tls_, TLS1_2_VERSION);
    SSL_CTX_set_app_data(tls_, this);
    SSL_CTX_set_info_callback(tls_, [](const SSL* ssl, int where, int) {
        if ((where & SSL_CB_HANDSHAKE_DONE) == 0) return;
        auto* const self =
            static_cast<MosquittoClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
        self->has_greeted_ = true;
    });
    SSL_CTX_set_verify(tls_, SSL_VERIFY_PEER, nullptr);
    X509_VERIFY_PARAM* const rules = SSL_CTX_get0_param(tls_);
    if (tls.judged_at != 0) X509_VERIFY_PARAM_set_time(rules, tls.judged_at);
    // A name, or an address.
    const bool has_host = X509_VERIFY_PARAM_set1_ip_asc(rules, host_.c_str()) == 1 ||
                          X509_VERIFY_PARAM_set1_host(rules, host_.c_str(), host_.size()) == 1;
    ERR_clear_error();
    return has_host && add_anchors(tls_, tls.ca_pem) &&
           add_identity(tls_, tls.client_cert_pem, tls.client_key_pem) && set_alpn(tls_, alpn);
}

Status MosquittoClient::open(const MqttConfig& config) {
    close();
    host_ = config.host;
    port_ = config.port;
    keep_alive_ =
        std::max<int>(kLeastKeepAlive, config.keep_alive_s / static_cast<int>(time_scale_));
    filters_.clear();
    for (const MqttFilter& filter : config.filters) filters_.push_back({filter.topic, filter.qos});
    if (!make_tls(config.tls, config.alpn)) {
        close();
        return fault(Code::kUnauthenticated, Detail::kClientCertificate);
    }
    client_ = mosquitto_new(config.client_id, true, this);
    if (client_ == nullptr) return fault(Code::kUnavailable, Detail::kOutOfMemory);
    mosquitto_threaded_set(client_, true);
    mosquitto_void_option(client_, MOSQ_OPT_SSL_CTX, tls_);
    mosquitto_int_option(client_, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
    mosquitto_max_inflight_messages_set(client_, 20);
    mosquitto_connect_callback_set(client_, [](mosquitto*, void* self, int code) {
        static_cast<MosquittoClient*>(self)->on_connect(code);
    });
    mosquitto_subscribe_callback_set(client_, [](mosquitto*, void* self, int, int count,
                                                 const int* granted) {
        static_cast<MosquittoClient*>(self)->on_subscribed({granted, static_cast<size_t>(count)});
    });
    mosquitto_message_callback_set(client_,
                                   [](mosquitto*, void* self, const mosquitto_message* message) {
                                       static_cast<MosquittoClient*>(self)->on_message(*message);
                                   });
    why_ = 0;
    stop_ = has_greeted_ = false;
    state_ = State::kConnecting;
    has_thread_ = pthread_create(
                      &thread_, nullptr,
                      [](void* self) -> void* {
                          static_cast<MosquittoClient*>(self)->run();
                          return nullptr;
                      },
                      this) == 0;
    return has_thread_ ? kOkStatus : fault(Code::kUnavailable, Detail::kOutOfMemory);
}

void MosquittoClient::run() {
    errno = 0;
    int error = mosquitto_connect_async(client_, host_.c_str(), port_, keep_alive_);
    bool was_connected = false;
    while (error == MOSQ_ERR_SUCCESS && !stop_ && state_ != State::kOver) {
        // libmosquitto 2.0.11 loses the error of a connection that ends before TLS is set up.
        const int socket = mosquitto_socket(client_);
        was_connected = was_connected || is_connected(socket);
        if (!has_greeted_ && is_hung_up(socket)) {
            return end(fault(Code::kUnavailable,
                             was_connected ? Detail::kConnectionLost : Detail::kConnectRefused));
        }
        error = mosquitto_loop(client_, kLongestWait, 1);
        // libmosquitto 2.0.11 does not wait while it greets: it takes a socket that can be written
        // to for one that has something to do.
        if (error == MOSQ_ERR_SUCCESS && state_ == State::kConnecting) usleep(kGreetingPause);
    }
    // AWS closes without a word when it does not want us; so does TLS 1.3 with a certificate that
    // the server does not know.
    const bool is_unwanted = has_greeted_ && state_ == State::kConnecting && error != MOSQ_ERR_TLS;
    end(is_unwanted ? fault(Code::kUnavailable, Detail::kMqttRefused) : why_of(error));
}

void MosquittoClient::end(Status why) {
    uint32_t none = 0;
    why_.compare_exchange_strong(none, why.word());
    state_ = State::kOver;
}

void MosquittoClient::on_connect(int code) {
    if (code != 0) {
        // MQTT 3.1.1 table 3.1: 4 and 5 are about who we are; AWS says 7 then.
        return end(fault(code == 3 ? Code::kBusy : Code::kUnauthenticated,
                         code == 3 ? Detail::kConnectionLost : Detail::kClientCertificate));
    }
    granted_ = 0;
    subscribe();
}

// The next few of them: AWS takes eight in one SUBSCRIBE, libmosquitto one quality of service.
void MosquittoClient::subscribe() {
    std::vector<char*> filters;
    const int qos = filters_[granted_].qos;
    for (size_t i = granted_; i < filters_.size() && filters.size() < kMaxFilters; ++i) {
        if (filters_[i].qos != qos) break;
        filters.push_back(filters_[i].topic.data());
    }
    const int error = mosquitto_subscribe_multiple(
        client_, nullptr, static_cast<int>(filters.size()), filters.data(), qos, 0, nullptr);
    if (error != MOSQ_ERR_SUCCESS) end(why_of(error));
}

// MQTT 3.1.1 3.9.3: 0x80 is a refusal. Without all of them the device would be deaf to some.
void MosquittoClient::on_subscribed(std::span<const int> granted) {
    constexpr int kHighestQos = 2;
    const bool all = std::all_of(granted.begin(), granted.end(),
                                 [](int qos) { return qos >= 0 && qos <= kHighestQos; });
    if (!all) return end(fault(Code::kUnauthenticated, Detail::kMqttRefused));
    granted_ += granted.size();
    if (granted_ < filters_.size()) return subscribe();
    State connecting = State::kConnecting;
    state_.compare_exchange_strong(connecting, State::kUp);
}

void MosquittoClient::on_message(const mosquitto_message& message) {
    const auto size = static_cast<size_t>(message.payloadlen);
    const auto* const bytes = static_cast<const uint8_t*>(message.payload);
    pthread_mutex_lock(&mutex_);
    if (queue_.size() < kMostMessages && queued_bytes_ + size <= kMostBytes) {
        queue_.push_back({message.topic, {bytes, bytes + size}});
        queued_bytes_ += size;
    }
    pthread_mutex_unlock(&mutex_);
}

Result<bool> MosquittoClient::receive(MqttMessage& out) {
    const State state = state_;
    if (state == State::kClosed) return fault(Code::kUnavailable, Detail::kConnectionLost);
    if (state == State::kConnecting) return fault(Code::kTryAgain, Detail::kNone);
    pthread_mutex_lock(&mutex_);
    const bool came = !queue_.empty();
    if (came) {
        current_ = std::move(queue_.front());
        queue_.pop_front();
        queued_bytes_ -= current_.payload.size();
    }
    pthread_mutex_unlock(&mutex_);
    if (came) out = {current_.topic, current_.payload};
    // What came before the end is still good.
    if (!came && state == State::kOver) return Status::from_word(why_);
    return came;
}

Status MosquittoClient::publish(std::string_view topic, Bytes payload) {
    if (state_ != State::kUp) return fault(Code::kUnavailable, Detail::kConnectionLost);
    const std::string name(topic);
    const int error = mosquitto_publish(client_, nullptr, name.c_str(),
                                        static_cast<int>(payload.size()), payload.data(), 1, false);
    return error == MOSQ_ERR_SUCCESS ? kOkStatus : why_of(error);
}

void MosquittoClient::close() {
    stop_ = true;
    if (has_thread_) {
        (void)mosquitto_disconnect(client_);
        pthread_join(thread_, nullptr);
        has_thread_ = false;
    }
    if (client_ != nullptr) mosquitto_destroy(client_);
    client_ = nullptr;
    if (tls_ != nullptr) SSL_CTX_free(tls_);
    tls_ = nullptr;
    state_ = State::kClosed;
    queue_.clear();
    queued_bytes_ = 0;
}

}  // namespace ota
