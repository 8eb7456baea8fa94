// The adapter for esp-mqtt over a model of it.
#include "esp_idf/esp_mqtt.hpp"

#include "contracts/mqtt_client.hpp"
#include "mqtt_model.hpp"

namespace ota {
namespace {

using contract::await_message;
using idf_model::mqtt;

constexpr MqttFilter kFilter{"contract/#"};

MqttConfig config_of() {
    MqttConfig out;
    out.host = "a1-ats.iot.eu-central-1.amazonaws.com";
    out.client_id = "bess-1";
    out.tls.ca_pem = "ca";
    out.tls.client_cert_pem = "certificate";
    out.tls.client_key_pem = "key";
    out.filters = {&kFilter, 1};
    return out;
}

struct Mqtt : testing::Test {
    Mqtt() { mqtt = {}; }
    ~Mqtt() override {
        client.close();
        EXPECT_EQ(mqtt.clients, 0);
    }
    Status why() {
        MqttMessage message;
        return await_message(client, message).status();
    }
    EspMqttClient client;
};

TEST_F(Mqtt, Contract) {
    contract::check_mqtt_client(client, config_of());
    EXPECT_EQ(mqtt.largest_subscribe, 8U);
    EXPECT_EQ(mqtt.filters.size(), 13U);
    mqtt.refusal.error_type = MQTT_ERROR_TYPE_TCP_TRANSPORT;
    mqtt.refusal.esp_tls_last_esp_err = 0x8004;
    contract::check_nobody_there(client, config_of());
}

TEST_F(Mqtt, ConfigurationAsItIsHandedOver) {
    MqttConfig config = config_of();
    config.alpn = "x-amzn-mqtt-ca";
    config.port = 443;
    ASSERT_TRUE(client.open(config).ok());
    EXPECT_EQ(std::string(mqtt.config.broker.address.hostname), config.host);
    EXPECT_EQ(mqtt.config.broker.address.port, 443U);
    EXPECT_EQ(mqtt.config.broker.address.transport, MQTT_TRANSPORT_OVER_SSL);
    EXPECT_EQ(std::string(mqtt.config.broker.verification.certificate), "ca");
    EXPECT_EQ(mqtt.alpn, "x-amzn-mqtt-ca");
    EXPECT_EQ(std::string(mqtt.config.credentials.authentication.key), "key");
    EXPECT_TRUE(mqtt.config.network.disable_auto_reconnect);
    EXPECT_LE(mqtt.config.network.reconnect_timeout_ms, 200);  // else close() takes seconds
    EXPECT_EQ(mqtt.config.task.priority, 5);
    EXPECT_EQ(mqtt.config.session.keepalive, 60);
    config.tls.ca_pem = nullptr;
    ASSERT_TRUE(client.open(config).ok());
    EXPECT_TRUE(mqtt.config.broker.verification.crt_bundle_attach != nullptr);
}

TEST_F(Mqtt, WhyThereIsNoConnection) {
    struct Case {
        esp_mqtt_error_codes_t error;
        Code code;
        Detail detail;
    };
    const auto refused = [](esp_mqtt_connect_return_code_t code) {
        return esp_mqtt_error_codes_t{0, 0, 0, MQTT_ERROR_TYPE_CONNECTION_REFUSED, code};
    };
    const auto transport = [](esp_err_t error, int library, int flags) {
        return esp_mqtt_error_codes_t{error, library, flags, MQTT_ERROR_TYPE_TCP_TRANSPORT,
                                      MQTT_CONNECTION_ACCEPTED};
    };
    for (const Case& c : std::initializer_list<Case>{
             {refused(MQTT_CONNECTION_REFUSE_SERVER_UNAVAILABLE), Code::kBusy,
              Detail::kConnectionLost},
             {refused(MQTT_CONNECTION_REFUSE_NOT_AUTHORIZED), Code::kUnauthenticated,
              Detail::kClientCertificate},
             {transport(0x8001, 0, 0), Code::kUnavailable, Detail::kDnsFailed},
             {transport(0x801A, 0x2700, 1), Code::kUntrusted, Detail::kCertificateExpired},
             // As esp-mqtt tells them with real servers: TLS 1.2 with another certificate, one that
             // goes in the handshake, one that answers in another protocol; TLS 1.3 with another
             // certificate, and whoever closes without a word.
             {transport(0x801A, 0x7780, 0), Code::kUnauthenticated, Detail::kClientCertificate},
             {transport(0x801A, 0x50, 0), Code::kUnavailable, Detail::kConnectionLost},
             {transport(0x801A, 0x7200, 0), Code::kRefused, Detail::kTlsHandshake},
             {transport(0x801D, 0x7780, 0), Code::kUnavailable, Detail::kMqttRefused},
             {transport(0x801D, 0x50, 0), Code::kUnavailable, Detail::kMqttRefused},
             {transport(0x8008, 0, 0), Code::kUnavailable, Detail::kMqttRefused}}) {
        mqtt.refusal = c.error;
        ASSERT_TRUE(client.open(config_of()).ok());
        const Status found = why();
        EXPECT_TRUE(found.is(c.code)) << static_cast<int>(found.code());
        EXPECT_EQ(found.detail(), c.detail);
    }
}

// esp_mqtt_client_destroy() does not wait for a task that has not begun.
TEST_F(Mqtt, ClosedBeforeItsTaskHasBegun) {
    mqtt.begins_late = 50;
    ASSERT_TRUE(client.open(config_of()).ok());
    client.close();
    EXPECT_FALSE(mqtt.freed_early);
    EXPECT_EQ(mqtt.clients, 0);
}

TEST_F(Mqtt, RefusedSubscriptionEndsIt) {
    mqtt.refuses_filters = true;
    ASSERT_TRUE(client.open(config_of()).ok());
    EXPECT_EQ(why().detail(), Detail::kMqttRefused);
}

// What came before the end is still good; half a message is none.
TEST_F(Mqtt, EndOfTheConnection) {
    ASSERT_TRUE(client.open(config_of()).ok());
    ASSERT_TRUE(contract::is_up(client));
    mqtt.deliver("contract/1", "whole");
    mqtt.deliver("contract/1", std::string(9000, 'x'), 5000);
    mqtt.break_off({0, 0, 0, MQTT_ERROR_TYPE_TCP_TRANSPORT, MQTT_CONNECTION_ACCEPTED});
    MqttMessage message;
    ASSERT_TRUE(*await_message(client, message));
    EXPECT_EQ(as_text(message.payload), "whole");
    const Status found = why();
    EXPECT_TRUE(found.is(Code::kUnavailable));
    EXPECT_EQ(found.detail(), Detail::kConnectionLost);
}

// An alert in the middle is no word about who we are.
TEST_F(Mqtt, AlertOnceItIsUpIsAnEndOnly) {
    ASSERT_TRUE(client.open(config_of()).ok());
    ASSERT_TRUE(contract::is_up(client));
    mqtt.break_off({0x801D, 0x7780, 0, MQTT_ERROR_TYPE_TCP_TRANSPORT, MQTT_CONNECTION_ACCEPTED});
    EXPECT_EQ(why().detail(), Detail::kConnectionLost);
}

TEST_F(Mqtt, ManyAndLargeMessagesAreLostBeyondTheBounds) {
    ASSERT_TRUE(client.open(config_of()).ok());
    ASSERT_TRUE(contract::is_up(client));
    mqtt.deliver("contract/large", std::string(EspMqttClient::kMostBytes + 1, 'x'));
    for (int i = 0; i < 100; ++i) mqtt.deliver("contract/many", std::to_string(i));
    mqtt.break_off({0, 0, 0, MQTT_ERROR_TYPE_TCP_TRANSPORT, MQTT_CONNECTION_ACCEPTED});
    usleep(200000);  // nobody takes them meanwhile
    MqttMessage message;
    for (size_t i = 0; i < EspMqttClient::kMostMessages; ++i) {
        ASSERT_TRUE(*client.receive(message));
        EXPECT_EQ(as_text(message.payload), std::to_string(i));
    }
    EXPECT_EQ(client.receive(message).status().detail(), Detail::kConnectionLost);
}

// Messages of that size that are taken do not fill it up.
TEST_F(Mqtt, RoomComesBack) {
    ASSERT_TRUE(client.open(config_of()).ok());
    ASSERT_TRUE(contract::is_up(client));
    for (int i = 0; i < 20; ++i) {
        contract::check_echo(client, "contract/1", std::string(40000, static_cast<char>('a' + i)));
    }
}

}  // namespace
}  // namespace ota
