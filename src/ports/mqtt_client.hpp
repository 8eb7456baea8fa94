// One MQTT 3.1.1 connection over TLS at a time, as AWS IoT wants it.
#pragma once

#include "base/bytes.hpp"
#include "base/status.hpp"
#include "ports/http_client.hpp"

namespace ota {

inline constexpr size_t kMaxFilters = 8;  // in one SUBSCRIBE

struct MqttFilter {
    const char* topic = nullptr;
    uint8_t qos = 1;  // 0 or 1: of what the server sends for it
};

// Texts are NUL-terminated and stay the caller's until close().
struct MqttConfig {
    const char* host = nullptr;  // also what the server's certificate has to be for, and SNI
    uint16_t port = 8883;
    const char* alpn = nullptr;  // "x-amzn-mqtt-ca" on port 443; null: none
    const char* client_id = nullptr;
    HttpTls tls;  // anchors, client certificate and key; the pin is not used
    uint16_t keep_alive_s = 60;
    // Subscribed to as soon as the server has accepted the connection, eight in one SUBSCRIBE: more
    // AWS does not take.
    std::span<const MqttFilter> filters;
};

struct MqttMessage {
    std::string_view topic;
    Bytes payload;
};

// Engine context; nothing blocks. What arrives is queued within bounds; what does not fit is lost,
// as anything may be that comes by a network.
class MqttClient {
  public:
    // Begins to connect; what was open is closed first.
    virtual Status open(const MqttConfig& config) = 0;

    // The next message: true; its views are good until the next call. False: none now. kTryAgain:
    // not connected or not subscribed yet. Anything else: the connection is over, and why
    // (kUnavailable / kDnsFailed, kConnectRefused, kConnectionLost, kTlsHandshake; kUntrusted /
    // kCertificateRefused; kUnauthenticated / kClientCertificate); only open and close make sense.
    virtual Result<bool> receive(MqttMessage& out) = 0;

    // QoS 1, not retained. kUnavailable: not connected, or its queue is full.
    virtual Status publish(std::string_view topic, Bytes payload) = 0;

    virtual void close() = 0;

  protected:
    ~MqttClient() = default;
};

}  // namespace ota
