#include "esp_idf/esp_mqtt.hpp"

#include <esp_crt_bundle.h>
#include <esp_tls_errors.h>
#include <freertos/task.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "esp_idf/tls_finding.hpp"

namespace ota {
namespace {

constexpr int kNetworkTimeout = 10000;  // ms: connecting, and a write that is stuck
// A topic, and eight of them in one SUBSCRIBE; longer messages come in fragments.
constexpr int kReceiveBuffer = 2048;
constexpr int kSendBuffer = 3072;
// Bytes that wait for the server's acknowledgement. A bound and no need: requests and reports have
// a few hundred. It holds what the port's contract sends in one go.
constexpr size_t kOutbox = size_t{72} * 1024;
// esp-mqtt's task looks each half of it whether it is to end, and close() waits for that; below 40
// it would not rest at all.
constexpr int kLookForEnd = 200;    // ms
constexpr TickType_t kBegin = 100;  // longest wait for its task to begin
constexpr int kAlert = 0x7780;      // MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, negated
// Within a connection nothing is sent twice (MQTT 3.1.1 4.4): what is owed comes back by itself.
constexpr int kRetransmit = 120000;  // ms
constexpr int kTaskStack = 6144;     // TLS runs in it

constexpr Status fault(Code code, Detail detail) {
    return {code, Origin::kSource, detail};
}

esp_mqtt_client_config_t config_of(const MqttConfig& config, const char** alpn) {
    esp_mqtt_client_config_t out{};
    out.broker.address.hostname = config.host;
    out.broker.address.port = config.port;
    out.broker.address.transport = MQTT_TRANSPORT_OVER_SSL;
    out.broker.verification.certificate = config.tls.ca_pem;
    if (config.tls.ca_pem == nullptr) {
        out.broker.verification.crt_bundle_attach = esp_crt_bundle_attach;
    }
    if (config.alpn != nullptr) out.broker.verification.alpn_protos = alpn;
    out.credentials.client_id = config.client_id;
    out.credentials.authentication.certificate = config.tls.client_cert_pem;
    out.credentials.authentication.key = config.tls.client_key_pem;
    out.session.protocol_ver = MQTT_PROTOCOL_V_3_1_1;
    out.session.keepalive = config.keep_alive_s;
    out.session.message_retransmit_timeout = kRetransmit;
    out.network.disable_auto_reconnect = true;  // AwsLink comes back, with jitter
    out.network.timeout_ms = kNetworkTimeout;
    out.network.reconnect_timeout_ms = kLookForEnd;
    // Below what protects the battery, as the engine is.
    out.task.priority = static_cast<int>(uxTaskPriorityGet(nullptr));
    out.task.stack_size = kTaskStack;
    out.buffer.size = kReceiveBuffer;
    out.buffer.out_size = kSendBuffer;
    out.outbox.limit = kOutbox;
    return out;
}

}  // namespace

struct EspMqttClient::Message {
    size_t topic_size;
    size_t size;    // of the payload
    size_t filled;  // of it
    char* topic() { return reinterpret_cast<char*>(this + 1); }
    uint8_t* payload() { return reinterpret_cast<uint8_t*>(this + 1) + topic_size; }
    size_t cost() const { return sizeof(Message) + topic_size + size; }
};

EspMqttClient::EspMqttClient()
    : queue_(xQueueCreateStatic(kMostMessages, sizeof(void*), storage_.data(), &control_)) {}

EspMqttClient::~EspMqttClient() {
    close();
    vQueueDelete(queue_);
}

Status EspMqttClient::open(const MqttConfig& config) {
    close();
    if (config.filters.size() > filters_.size()) return fault(Code::kNoSpace, Detail::kNone);
    filter_count_ = granted_ = 0;
    for (const MqttFilter& filter : config.filters) {
        filters_[filter_count_++] = {filter.topic, filter.qos};
    }
    alpn_[0] = config.alpn;
    const esp_mqtt_client_config_t own = config_of(config, alpn_.data());
    client_ = esp_mqtt_client_init(&own);
    if (client_ == nullptr) return fault(Code::kUnavailable, Detail::kOutOfMemory);
    why_ = 0;
    has_begun_ = 0;
    state_ = static_cast<uint32_t>(State::kConnecting);
    if (esp_mqtt_client_register_event(client_, MQTT_EVENT_ANY, on_event, this) == ESP_OK &&
        esp_mqtt_client_start(client_) == ESP_OK) {
        return {};
    }
    has_begun_ = 1;  // nor will it
    close();
    return fault(Code::kUnavailable, Detail::kOutOfMemory);
}

// ---------------------------------------------------------------- esp-mqtt's task

void EspMqttClient::on_event(void* self, esp_event_base_t, int32_t, void* data) {
    auto& client = *static_cast<EspMqttClient*>(self);
    const auto& event = *static_cast<const esp_mqtt_event_t*>(data);
    switch (event.event_id) {
        case MQTT_EVENT_BEFORE_CONNECT:
            client.has_begun_ = 1;
            return;
        case MQTT_EVENT_CONNECTED:
            return client.subscribe();
        case MQTT_EVENT_SUBSCRIBED:
            return client.on_subscribed(event);
        case MQTT_EVENT_DATA:
            return client.on_data(event);
        case MQTT_EVENT_ERROR:
            return client.on_error(*event.error_handle);
        case MQTT_EVENT_DISCONNECTED:
            return client.end(fault(Code::kUnavailable, Detail::kConnectionLost));
        default:
            return;
    }
}

// MQTT 3.1.1 table 3.1: 3 is a server that is not there; the others are about who we are.
void EspMqttClient::on_error(const esp_mqtt_error_codes_t& error) {
    if (error.error_type == MQTT_ERROR_TYPE_CONNECTION_REFUSED) {
        const bool is_busy = error.connect_return_code == MQTT_CONNECTION_REFUSE_SERVER_UNAVAILABLE;
        return end(is_busy ? fault(Code::kBusy, Detail::kConnectionLost)
                           : fault(Code::kUnauthenticated, Detail::kClientCertificate));
    }
    if (error.error_type != MQTT_ERROR_TYPE_TCP_TRANSPORT) return;
    const esp_err_t what = error.esp_tls_last_esp_err;
    const bool has_greeted = what == ESP_OK || what == ESP_ERR_ESP_TLS_TCP_CLOSED_FIN ||
                             what == ESP_ERR_MBEDTLS_SSL_READ_FAILED ||
                             what == ESP_ERR_MBEDTLS_SSL_WRITE_FAILED;
    // AWS closes without a word when it does not want us; so does TLS 1.3 with a certificate that
    // the server does not know. TLS 1.2 says something: what it says esp-tls keeps to itself.
    const bool is_connecting = state_ == static_cast<uint32_t>(State::kConnecting);
    if (is_connecting && has_greeted) {
        return end(fault(Code::kUnavailable, Detail::kMqttRefused));
    }
    if (is_connecting && error.esp_tls_stack_err == kAlert) {
        return end(fault(Code::kUnauthenticated, Detail::kClientCertificate));
    }
    end(tls_finding(error.esp_tls_last_esp_err, error.esp_tls_stack_err,
                    error.esp_tls_cert_verify_flags));
}

// The first reason counts; what came before it is still good.
void EspMqttClient::end(Status why) {
    release(partial_);
    uint32_t none = 0;
    why_.compare_exchange_strong(none, why.word());
    state_ = static_cast<uint32_t>(State::kOver);
}

// The next few of them: AWS takes eight in one SUBSCRIBE.
void EspMqttClient::subscribe() {
    const size_t count = std::min(filter_count_ - granted_, kMaxFilters);
    if (esp_mqtt_client_subscribe_multiple(client_, &filters_[granted_], static_cast<int>(count)) <
        0) {
        end(fault(Code::kUnavailable, Detail::kConnectionLost));
    }
}

// Without all of them the device would be deaf to some.
void EspMqttClient::on_subscribed(const esp_mqtt_event_t& event) {
    if (event.error_handle->error_type == MQTT_ERROR_TYPE_SUBSCRIBE_FAILED) {
        return end(fault(Code::kUnauthenticated, Detail::kMqttRefused));
    }
    granted_ += static_cast<size_t>(event.data_len);
    if (granted_ < filter_count_) return subscribe();
    uint32_t connecting = static_cast<uint32_t>(State::kConnecting);
    state_.compare_exchange_strong(connecting, static_cast<uint32_t>(State::kUp));
}

void EspMqttClient::on_data(const esp_mqtt_event_t& event) {
    if (event.current_data_offset == 0) begin_message(event);
    if (partial_ == nullptr) return;
    const auto size = static_cast<size_t>(event.data_len);
    const bool is_next = static_cast<size_t>(event.current_data_offset) == partial_->filled &&
                         size <= partial_->size - partial_->filled;
    if (!is_next) return release(partial_);
    if (size != 0) std::memcpy(partial_->payload() + partial_->filled, event.data, size);
    partial_->filled += size;
    if (partial_->filled == partial_->size) queue_message();
}

// Its topic comes with the first fragment alone.
void EspMqttClient::begin_message(const esp_mqtt_event_t& event) {
    release(partial_);
    const auto topic_size = static_cast<size_t>(event.topic_len);
    const auto size = static_cast<size_t>(event.total_data_len);
    const size_t cost = sizeof(Message) + topic_size + size;
    if (event.topic == nullptr || size > kMostBytes || held_ + cost > kMostBytes) return;
    void* const memory = ::operator new(cost, std::nothrow);
    if (memory == nullptr) return;
    held_ += cost;
    partial_ = new (memory) Message{topic_size, size, 0};
    std::memcpy(partial_->topic(), event.topic, topic_size);
}

void EspMqttClient::queue_message() {
    if (xQueueSend(queue_, &partial_, 0) != pdTRUE) return release(partial_);
    partial_ = nullptr;
}

// ---------------------------------------------------------------- the engine

void EspMqttClient::release(Message*& message) {
    if (message == nullptr) return;
    held_ -= message->cost();
    ::operator delete(message);
    message = nullptr;
}

// The next one into current_, whose room is its own.
bool EspMqttClient::take_message() {
    ::operator delete(current_);
    current_ = nullptr;
    if (xQueueReceive(queue_, &current_, 0) != pdTRUE) return false;
    held_ -= current_->cost();
    return true;
}

Result<bool> EspMqttClient::receive(MqttMessage& out) {
    const auto state = static_cast<State>(state_.load());
    if (state == State::kClosed) return fault(Code::kUnavailable, Detail::kConnectionLost);
    if (state == State::kConnecting) return fault(Code::kTryAgain, Detail::kNone);
    if (take_message()) {
        out = {{current_->topic(), current_->topic_size}, {current_->payload(), current_->size}};
        return true;
    }
    if (state == State::kOver) return Status::from_word(why_);
    return false;
}

// Not esp_mqtt_client_enqueue(), which leaves it until the task looks, a second later.
Status EspMqttClient::publish(std::string_view topic, Bytes payload) {
    const bool is_up = state_ == static_cast<uint32_t>(State::kUp);
    if (!is_up) return fault(Code::kUnavailable, Detail::kConnectionLost);
    if (topic.size() > kLongestTopic) return fault(Code::kNoSpace, Detail::kNone);
    std::memcpy(topic_.data(), topic.data(), topic.size());
    topic_[topic.size()] = '\0';
    // Of a text without a length it would measure one.
    const auto* const text =
        payload.empty() ? nullptr : reinterpret_cast<const char*>(payload.data());
    const int id = esp_mqtt_client_publish(client_, topic_.data(), text,
                                           static_cast<int>(payload.size()), 1, 0);
    return id >= 0 ? kOkStatus : fault(Code::kUnavailable, Detail::kConnectionLost);
}

// esp-mqtt would free a client under a task of it that has not begun yet.
void EspMqttClient::close() {
    for (TickType_t i = 0; client_ != nullptr && has_begun_ == 0 && i < kBegin; ++i) vTaskDelay(1);
    if (client_ != nullptr) (void)esp_mqtt_client_destroy(client_);
    client_ = nullptr;
    state_ = static_cast<uint32_t>(State::kClosed);
    release(partial_);
    while (take_message()) {
    }
}

}  // namespace ota
