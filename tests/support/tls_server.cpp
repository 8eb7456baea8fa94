#include "support/tls_server.hpp"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>

namespace test {
namespace {

constexpr int kPatience = 20;  // ms between looks at stop_
// One connection at a time: one that a client keeps and does not use must make way.
constexpr std::chrono::milliseconds kMostIdle(1000);

X509* make_certificate(EVP_PKEY* key) {
    X509* certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_set_version(certificate, 2);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test server"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());
    return certificate;
}

std::string to_pem(X509* certificate) {
    BIO* memory = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(memory, certificate);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(memory, &bytes);
    std::string pem(bytes, static_cast<size_t>(size));
    BIO_free(memory);
    return pem;
}

// False when nothing came for a while.
bool is_readable(int fd) {
    pollfd ready = {fd, POLLIN, 0};
    return poll(&ready, 1, kPatience) > 0;
}

}  // namespace

TlsServer::TlsServer() : context_(SSL_CTX_new(TLS_server_method())) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = make_certificate(key);
    SSL_CTX_use_certificate(context_, certificate);
    SSL_CTX_use_PrivateKey(context_, key);
    certificate_ = to_pem(certificate);
    X509_free(certificate);
    EVP_PKEY_free(key);

    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, generic, length) != 0 || listen(listener_, 8) != 0 ||
        getsockname(listener_, generic, &length) != 0) {
        std::abort();
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
}

TlsServer::~TlsServer() {
    stop_ = true;
    thread_.join();
    close(listener_);
    SSL_CTX_free(context_);
}

void TlsServer::answer(const Answer& answer) {
    const std::lock_guard lock(mutex_);
    answers_.push_back(answer);
}

std::vector<std::string> TlsServer::requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
}

bool TlsServer::take(Answer& answer) {
    const std::lock_guard lock(mutex_);
    if (answers_.empty() && common_) answer = *common_;
    if (answers_.empty()) return common_.has_value();
    answer = answers_.front();
    answers_.pop_front();
    return true;
}

void TlsServer::run() {
    // A client that is gone is no reason to end; the client under test has to see to itself.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    while (!stop_) {
        if (!is_readable(listener_)) continue;
        const int connection = accept(listener_, nullptr, nullptr);
        if (connection < 0) continue;
        ++connections_;
        // A client that goes away must not hold the server up.
        const timeval limit = {0, 200000};
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        SSL* tls = SSL_new(context_);
        SSL_set_fd(tls, connection);
        if (SSL_accept(tls) == 1) serve(tls);
        SSL_free(tls);
        close(connection);
    }
}

// A head, and as much of a body as it announces.
static bool is_whole(const std::string& request) {
    const size_t end = request.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const size_t length = request.find("Content-Length: ");
    if (length > end) return true;
    return request.size() - end - 4 >= std::stoul(request.substr(length + 16));
}

void TlsServer::serve(SSL* tls) {
    std::string head;
    Answer answer;
    auto last = std::chrono::steady_clock::now();
    while (!stop_ && std::chrono::steady_clock::now() - last < kMostIdle) {
        if (SSL_pending(tls) == 0 && !is_readable(SSL_get_fd(tls))) continue;
        last = std::chrono::steady_clock::now();
        char byte = 0;
        if (SSL_read(tls, &byte, 1) != 1) return;
        head += byte;
        if (!is_whole(head)) continue;
        {
            const std::lock_guard lock(mutex_);
            requests_.push_back(head);
        }
        head.clear();
        if (!take(answer)) return;
        for (size_t at = 0; at < answer.bytes.size(); at += answer.piece) {
            const size_t n = std::min(answer.piece, answer.bytes.size() - at);
            if (SSL_write(tls, answer.bytes.data() + at, static_cast<int>(n)) <= 0) return;
        }
        if (!answer.close) continue;
        SSL_shutdown(tls);
        return;
    }
}

}  // namespace test
