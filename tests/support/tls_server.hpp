// A TLS server on 127.0.0.1 that answers with the very bytes that a test hands it.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace test {

class TlsServer {
  public:
    TlsServer();
    ~TlsServer();
    TlsServer(const TlsServer&) = delete;
    TlsServer& operator=(const TlsServer&) = delete;

    struct Answer {
        std::string bytes;
        size_t piece = SIZE_MAX;  // bytes of each write
        bool close = false;       // afterwards
    };
    // For the next request that has none yet.
    void answer(const Answer& answer);
    // For every request that has none; before the first.
    void answer_all(const Answer& answer) { common_ = answer; }

    std::string url() const { return "https://127.0.0.1:" + std::to_string(port_) + "/bess.bin"; }
    const std::string& certificate() const { return certificate_; }
    // Heads of the requests so far, each with its body, and connections made.
    std::vector<std::string> requests();
    int connections() const { return connections_; }

  private:
    void run();
    void serve(SSL* tls);
    bool take(Answer& answer);

    SSL_CTX* context_;
    int listener_ = -1;
    uint16_t port_ = 0;
    std::string certificate_;
    std::atomic<bool> stop_{false};
    std::atomic<int> connections_{0};
    std::mutex mutex_;
    std::deque<Answer> answers_;
    std::optional<Answer> common_;
    std::vector<std::string> requests_;
    std::thread thread_;
};

}  // namespace test
