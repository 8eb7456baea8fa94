// MQTT by libmosquitto, in a thread of its own: it may stand in a name's resolution.
#pragma once

#include <mosquitto.h>
#include <openssl/ssl.h>
#include <pthread.h>

#include <atomic>
#include <deque>
#include <string>
#include <vector>

#include "ports/mqtt_client.hpp"

namespace ota {

class MosquittoClient final : public MqttClient {
  public:
    // time_scale: how much faster the engine's time passes; a dead connection is noticed in it.
    explicit MosquittoClient(uint32_t time_scale = 1);
    ~MosquittoClient();
    MosquittoClient(const MosquittoClient&) = delete;
    MosquittoClient& operator=(const MosquittoClient&) = delete;

    Status open(const MqttConfig& config) override;
    Result<bool> receive(MqttMessage& out) override;
    Status publish(std::string_view topic, Bytes payload) override;
    void close() override;

    // More than that waits to be taken: what comes then is lost.
    static constexpr size_t kMostMessages = 64;
    static constexpr size_t kMostBytes = 512 * 1024;

  private:
    struct Message {
        std::string topic;
        std::vector<uint8_t> payload;
    };
    enum class State : uint8_t { kClosed, kConnecting, kUp, kOver };

    bool make_tls(const HttpTls& tls, const char* alpn);
    void run();
    void on_connect(int code);
    void subscribe();
    void on_subscribed(std::span<const int> granted);
    void on_message(const mosquitto_message& message);
    void end(Status why);

    const uint32_t time_scale_;
    mosquitto* client_ = nullptr;
    SSL_CTX* tls_ = nullptr;
    std::string host_;
    int port_ = 0;
    int keep_alive_ = 0;
    struct Filter {
        std::string topic;
        int qos;
    };
    std::vector<Filter> filters_;
    size_t granted_ = 0;  // of them; the thread's
    pthread_t thread_{};
    bool has_thread_ = false;
    std::atomic<bool> stop_{false};
    std::atomic<bool> has_greeted_{false};  // TLS is set up
    std::atomic<State> state_{State::kClosed};
    std::atomic<uint32_t> why_{0};

    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
    std::deque<Message> queue_;
    size_t queued_bytes_ = 0;
    Message current_;
};

}  // namespace ota
