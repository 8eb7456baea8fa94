// MqttClient over esp-mqtt (ESP-IDF 5.5's component mqtt, espressif/mqtt of the registry from 6.0
// on).
#pragma once

#include <freertos/FreeRTOS.h>
#include <freertos/queue.h>
#include <mqtt_client.h>

#include <array>
#include <atomic>

#include "ports/mqtt_client.hpp"

namespace ota {

// esp-mqtt runs in a task of its own; what it hands over is copied to the heap, as esp-mqtt keeps
// its own messages, and queued within bounds. Its handler waits for nothing.
//
// What differs from the twin. close() of a connection that is being made, and publish() on one that
// is stuck, hold their caller up for as long as kNetworkTimeout, and a name that is looked up for
// as long as lwIP looks; close() of any other one takes 0.1 s. Certificates are judged by the
// system's time, and what is wrong with one is not told apart.
class EspMqttClient final : public MqttClient {
  public:
    EspMqttClient();
    ~EspMqttClient();
    EspMqttClient(const EspMqttClient&) = delete;
    EspMqttClient& operator=(const EspMqttClient&) = delete;

    Status open(const MqttConfig& config) override;
    Result<bool> receive(MqttMessage& out) override;
    Status publish(std::string_view topic, Bytes payload) override;
    void close() override;

    // More than that waits to be taken: what comes then is lost. A window of blocks in JSON fits,
    // and so does the longest job document, which has 32 KiB.
    static constexpr size_t kMostMessages = 16;
    static constexpr size_t kMostBytes = 48 * 1024;

  private:
    enum class State : uint8_t { kClosed, kConnecting, kUp, kOver };
    struct Message;  // on the heap, with its bytes behind it
    static constexpr size_t kMostSubscribed = 16;
    static constexpr size_t kLongestTopic = 384;

    static void on_event(void* self, esp_event_base_t base, int32_t id, void* data);
    void on_error(const esp_mqtt_error_codes_t& error);
    void subscribe();
    void on_subscribed(const esp_mqtt_event_t& event);
    void on_data(const esp_mqtt_event_t& event);
    void begin_message(const esp_mqtt_event_t& event);
    void queue_message();
    void end(Status why);
    void release(Message*& message);
    bool take_message();

    esp_mqtt_client_handle_t client_ = nullptr;
    std::array<const char*, 2> alpn_{};
    std::atomic<uint32_t> state_{0};  // State
    std::atomic<uint32_t> why_{0};
    std::atomic<uint32_t> has_begun_{1};                            // esp-mqtt's task
    std::array<uint8_t, kMostMessages * sizeof(void*)> storage_{};  // of pointers
    StaticQueue_t control_{};
    QueueHandle_t queue_;
    std::atomic<size_t> held_{0};  // bytes, of the messages that nobody has taken yet

    // Within esp-mqtt's events alone, one at a time, while there is a client.
    std::array<esp_mqtt_topic_t, kMostSubscribed> filters_{};
    size_t filter_count_ = 0;
    size_t granted_ = 0;
    Message* partial_ = nullptr;

    // The engine's alone.
    Message* current_ = nullptr;
    std::array<char, kLongestTopic + 1> topic_{};
};

}  // namespace ota
