#include "mqtt_model.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

using idf_model::mqtt;

// Its task takes one thing after the other.
struct esp_mqtt_client {
    esp_event_handler_t handler = nullptr;
    void* user = nullptr;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::function<void()>> work;
    bool stops = false;
    std::thread task;
    std::atomic<bool> has_begun{false};
    std::atomic<size_t> outbox{0};  // bytes that are not acknowledged

    void post(std::function<void()> thing) {
        const std::lock_guard lock(mutex);
        work.push_back(std::move(thing));
        changed.notify_one();
    }
    void run() {
        while (true) {
            std::unique_lock lock(mutex);
            changed.wait(lock, [&] { return stops || !work.empty(); });
            if (stops) return;
            const std::function<void()> thing = std::move(work.front());
            work.pop_front();
            lock.unlock();
            thing();
        }
    }
    void tell(esp_mqtt_event_t event) {
        event.client = this;
        handler(user, "MQTT_EVENTS", event.event_id, &event);
    }
    void tell(esp_mqtt_event_id_t id, esp_mqtt_error_codes_t error = {}) {
        esp_mqtt_event_t event{};
        event.event_id = id;
        event.error_handle = &error;
        tell(event);
    }
    void connect() {
        has_begun = true;
        tell(MQTT_EVENT_BEFORE_CONNECT);
        if (mqtt.refusal.error_type == MQTT_ERROR_TYPE_NONE) return tell(MQTT_EVENT_CONNECTED);
        tell(MQTT_EVENT_ERROR, mqtt.refusal);
        tell(MQTT_EVENT_DISCONNECTED);
    }
    // Only the first event has the topic.
    void hand_over(std::string topic, std::string payload, int cut) {
        const int size = static_cast<int>(payload.size());
        const int stop = cut < 0 ? size : cut;
        int offset = 0;
        do {
            esp_mqtt_event_t event{};
            event.event_id = MQTT_EVENT_DATA;
            event.data = payload.data() + offset;
            event.data_len = std::min(mqtt.fragment, stop - offset);
            event.total_data_len = size;
            event.current_data_offset = offset;
            event.topic = offset == 0 ? topic.data() : nullptr;
            event.topic_len = offset == 0 ? static_cast<int>(topic.size()) : 0;
            tell(event);
            offset += event.data_len;
        } while (offset < stop);
    }
};

namespace idf_model {

MqttModel mqtt;
static esp_mqtt_client_handle_t latest = nullptr;

// MQTT 3.1.1 4.7: as much as is needed here, a # at the end.
static bool matches(const std::string& filter, const std::string& topic) {
    if (!filter.ends_with('#')) return filter == topic;
    return topic.starts_with(filter.substr(0, filter.size() - 1));
}

void MqttModel::deliver(std::string topic, std::string payload, int cut) {
    const esp_mqtt_client_handle_t client = latest;
    client->post([=] { client->hand_over(topic, payload, cut); });
}

void MqttModel::break_off(const esp_mqtt_error_codes_t& error) {
    const esp_mqtt_client_handle_t client = latest;
    client->post([=] {
        client->tell(MQTT_EVENT_ERROR, error);
        client->tell(MQTT_EVENT_DISCONNECTED);
    });
}

}  // namespace idf_model

extern "C" {

esp_mqtt_client_handle_t esp_mqtt_client_init(const esp_mqtt_client_config_t* config) {
    ++mqtt.clients;
    mqtt.config = *config;
    mqtt.filters.clear();
    mqtt.largest_subscribe = 0;
    const char** const alpn = config->broker.verification.alpn_protos;
    mqtt.alpn = alpn == nullptr ? "" : alpn[0];
    return idf_model::latest = new esp_mqtt_client;
}

esp_err_t esp_mqtt_client_register_event(esp_mqtt_client_handle_t client, esp_mqtt_event_id_t,
                                         esp_event_handler_t event_handler,
                                         void* event_handler_arg) {
    client->handler = event_handler;
    client->user = event_handler_arg;
    return ESP_OK;
}

esp_err_t esp_mqtt_client_start(esp_mqtt_client_handle_t client) {
    client->post([=] { client->connect(); });
    client->task = std::thread([=] {
        std::this_thread::sleep_for(std::chrono::milliseconds(mqtt.begins_late));
        client->run();
    });
    return ESP_OK;
}

esp_err_t esp_mqtt_client_destroy(esp_mqtt_client_handle_t client) {
    {
        const std::lock_guard lock(client->mutex);
        client->stops = true;
        client->changed.notify_one();
    }
    mqtt.freed_early = mqtt.freed_early || !client->has_begun;
    if (client->task.joinable()) client->task.join();
    delete client;
    --mqtt.clients;
    return ESP_OK;
}

int esp_mqtt_client_subscribe_multiple(esp_mqtt_client_handle_t client,
                                       const esp_mqtt_topic_t* topic_list, int size) {
    std::string granted;
    for (int i = 0; i < size; ++i) {
        mqtt.filters.emplace_back(topic_list[i].filter);
        granted += mqtt.refuses_filters ? '\x80' : static_cast<char>(topic_list[i].qos);
    }
    mqtt.largest_subscribe = std::max(mqtt.largest_subscribe, static_cast<size_t>(size));
    client->post([client, granted]() mutable {
        esp_mqtt_error_codes_t error{};
        if (mqtt.refuses_filters) error.error_type = MQTT_ERROR_TYPE_SUBSCRIBE_FAILED;
        esp_mqtt_event_t event{};
        event.event_id = MQTT_EVENT_SUBSCRIBED;
        event.data = granted.data();
        event.data_len = static_cast<int>(granted.size());
        event.error_handle = &error;
        client->tell(event);
    });
    return 1;
}

// A text without a length is measured, as esp-mqtt does.
int esp_mqtt_client_publish(esp_mqtt_client_handle_t client, const char* topic, const char* data,
                            int len, int, int) {
    const std::string payload = data == nullptr ? ""
                                : len > 0       ? std::string(data, static_cast<size_t>(len))
                                                : data;
    if (payload.size() + client->outbox > mqtt.config.outbox.limit) return -2;
    const size_t size = payload.size();
    client->outbox += size;
    client->post([=] { client->outbox -= size; });
    for (const std::string& filter : mqtt.filters) {
        if (!idf_model::matches(filter, topic)) continue;
        const std::string name = topic;
        client->post([=] { client->hand_over(name, payload, -1); });
        break;
    }
    return 1;
}
}
