// What every MqttClient has to do, at a server that lets it subscribe to and publish on
// "contract/#".
#pragma once

#include <unistd.h>

#include <string>

#include "ports/mqtt_client.hpp"
#include "support/test.hpp"

namespace ota::contract {

// What receive() says next that is not "none now"; within half a minute.
inline Result<bool> await_message(MqttClient& client, MqttMessage& out) {
    for (int i = 0; i < 30000; ++i) {
        const Result<bool> came = client.receive(out);
        if (!came.ok() && !came.status().is(Code::kTryAgain)) return came;
        if (came.ok() && *came) return came;
        usleep(1000);
    }
    return false;
}

inline bool is_up(MqttClient& client) {
    MqttMessage message;
    for (int i = 0; i < 30000; ++i) {
        const Result<bool> came = client.receive(message);
        if (!came.status().is(Code::kTryAgain)) return came.ok();
        usleep(1000);
    }
    return false;
}

// Sent, and come back by one's own subscription.
inline void check_echo(MqttClient& client, const std::string& topic, const std::string& payload) {
    ASSERT_TRUE(client.publish(topic, as_bytes(payload)).ok());
    MqttMessage message;
    const Result<bool> came = await_message(client, message);
    ASSERT_TRUE(came.ok() && *came) << payload.size();
    EXPECT_TRUE(message.topic == topic);
    EXPECT_TRUE(as_text(message.payload) == payload);
}

inline void check_mqtt_client(MqttClient& client, MqttConfig config) {
    MqttMessage message;
    EXPECT_TRUE(client.receive(message).status().is(Code::kUnavailable));
    EXPECT_TRUE(client.publish("contract/1", as_bytes("x")).is(Code::kUnavailable));
    // More filters than a SUBSCRIBE takes, of both kinds; the last ones count as much as the first.
    const std::array<MqttFilter, 13> filters{{{"contract/blocks/#", 0},
                                              {"contract/1"},
                                              {"contract/2"},
                                              {"contract/3"},
                                              {"contract/4"},
                                              {"contract/5"},
                                              {"contract/6"},
                                              {"contract/7"},
                                              {"contract/8"},
                                              {"contract/9"},
                                              {"contract/10"},
                                              {"contract/11"},
                                              {"contract/12"}}};
    config.filters = filters;
    for (int connection = 0; connection < 2; ++connection) {
        ASSERT_TRUE(client.open(config).ok());
        ASSERT_TRUE(is_up(client));
        EXPECT_FALSE(*client.receive(message));
        for (const char* topic : {"contract/1", "contract/8", "contract/12", "contract/blocks/a"}) {
            check_echo(client, topic, "hello");
        }
        // Nothing, a sector as it comes by a stream, the longest job document.
        for (const size_t size : {0U, 4122U, 32768U}) {
            std::string payload(size, 'p');
            for (size_t i = 0; i < size; ++i) payload[i] = static_cast<char>('a' + i % 23);
            check_echo(client, "contract/blocks/b", payload);
        }
        // A window of blocks that nobody takes meanwhile is there, in order.
        for (int i = 0; i < 8; ++i) {
            const std::string block(4096, static_cast<char>('0' + i));
            ASSERT_TRUE(client.publish("contract/2", as_bytes(block)).ok());
        }
        for (int i = 0; i < 8; ++i) {
            const Result<bool> came = await_message(client, message);
            ASSERT_TRUE(came.ok() && *came) << i;
            EXPECT_EQ(message.payload[0], '0' + i);
            EXPECT_EQ(message.payload.size(), 4096U);
        }
    }
    client.close();
    EXPECT_TRUE(client.receive(message).status().is(Code::kUnavailable));
    client.close();
}

// Nobody listens at config's port.
inline void check_nobody_there(MqttClient& client, const MqttConfig& config) {
    MqttMessage message;
    ASSERT_TRUE(client.open(config).ok());
    const Status why = await_message(client, message).status();
    EXPECT_TRUE(why.is(Code::kUnavailable)) << static_cast<int>(why.code());
    EXPECT_EQ(why.detail(), Detail::kConnectRefused);
    EXPECT_TRUE(client.publish("contract/1", as_bytes("x")).is(Code::kUnavailable));
    client.close();
}

}  // namespace ota::contract
