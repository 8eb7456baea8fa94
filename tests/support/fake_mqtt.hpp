// A broker in memory: what the device sends is seen, what the test wants is delivered.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "ports/mqtt_client.hpp"
#include "support/image_factory.hpp"

namespace test {

class FakeMqtt final : public ota::MqttClient {
  public:
    struct Message {
        std::string topic;
        Buffer payload;
        std::string text() const { return {payload.begin(), payload.end()}; }
    };
    ota::Status open(const ota::MqttConfig& config) override {
        ++connections;
        port = config.port;
        alpn = config.alpn == nullptr ? "" : config.alpn;
        filters.clear();
        for (const ota::MqttFilter& filter : config.filters) filters.emplace_back(filter.topic);
        is_open = true;
        incoming.clear();
        return {};
    }
    ota::Result<bool> receive(ota::MqttMessage& out) override {
        if (judge && failure.ok()) failure = judge();
        if (!failure.ok()) {
            const ota::Status why = failure;
            failure = {};
            return why;
        }
        if (!is_up) return ota::Status{ota::Code::kTryAgain, ota::Origin::kSource};
        if (peer) peer();
        if (incoming.empty()) return false;
        current_ = incoming.front();
        incoming.pop_front();
        out = {current_.topic, current_.payload};
        return true;
    }
    ota::Status publish(std::string_view topic, ota::Bytes payload) override {
        const bool is_lost = ++publishes == refused_publish;
        if (!is_up || is_lost) return {ota::Code::kUnavailable, ota::Origin::kSource};
        sent.push_back({std::string(topic), Buffer(payload.begin(), payload.end())});
        return {};
    }
    void close() override { is_open = false; }

    void deliver(const std::string& topic, const std::string& text) {
        incoming.push_back({topic, Buffer(text.begin(), text.end())});
    }
    void deliver(const std::string& topic, const Buffer& payload) {
        incoming.push_back({topic, payload});
    }

    bool is_up = true;
    bool is_open = false;
    ota::Status failure;         // once
    size_t refused_publish = 0;  // the n-th; 0 = none
    size_t publishes = 0;
    uint32_t connections = 0;
    uint16_t port = 0;
    std::string alpn;
    std::vector<std::string> filters;
    std::function<ota::Status()> judge;  // of the connection
    std::function<void()> peer;          // does what it has to before each look for a message
    std::deque<Message> incoming;
    std::vector<Message> sent;

  private:
    Message current_;
};

}  // namespace test
