// A model of esp-mqtt with a server behind it, which sends what is published to whom it concerns.
#pragma once

#include <mqtt_client.h>

#include <functional>
#include <string>
#include <vector>

namespace idf_model {

struct MqttModel {
    // How the next connection goes.
    esp_mqtt_error_codes_t refusal{};  // error_type MQTT_ERROR_TYPE_NONE: it comes about
    bool refuses_filters = false;
    int begins_late = 0;       // ms, until its task runs for the first time
    bool freed_early = false;  // a client was destroyed before its task ran

    int fragment = 2048;  // bytes of a message in an event, as buffer.size
    int clients = 0;      // made and not destroyed
    size_t largest_subscribe = 0;
    std::vector<std::string> filters;  // of the latest connection
    esp_mqtt_client_config_t config{};
    std::string alpn;

    // In the client's own task, as soon as it has time: cut: within the message, how many bytes of
    // it come; -1: all.
    void deliver(std::string topic, std::string payload, int cut = -1);
    void break_off(const esp_mqtt_error_codes_t& error);
};
extern MqttModel mqtt;

}  // namespace idf_model
