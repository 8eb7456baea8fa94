// The connection of a thing to AWS IoT: kept up with jitter, subscribed to its jobs and streams.
#pragma once

#include "base/fixed.hpp"
#include "ports/backoff.hpp"
#include "ports/clock.hpp"
#include "ports/mqtt_client.hpp"
#include "sources/aws/stream_codec.hpp"

namespace ota {

inline constexpr size_t kMaxThingName = 128;

// Engine context.
class AwsLink {
  public:
    // Texts stay the caller's.
    struct Config {
        const char* endpoint = nullptr;
        uint16_t port = 8883;  // 443: with ALPN x-amzn-mqtt-ca
        const char* thing = nullptr;
        HttpTls tls;
        StreamForm streams = StreamForm::kCbor;
        bool shadow = false;  // subscribes to the shadow's topics, too
    };
    AwsLink(MqttClient& client, Clock& clock, const TimeFloor& floor, const Config& config);
    void seed(uint32_t value) { backoff_.seed(value); }

    // Moves the connection on, and gives the next message; its topic is what follows
    // "$aws/things/<thing>/". False: none now.
    bool take(MqttMessage& out);
    bool is_up() const { return is_up_; }
    // Counts up with each connection: what was asked in an earlier one is not answered any more.
    uint32_t connection() const { return connection_; }
    // Why the last connection ended, or could not be made.
    Status why() const { return why_; }

    // suffix: of the topic, as above.
    Status publish(std::string_view suffix, Bytes payload);
    void close();

  private:
    static constexpr size_t kFilters = 13;  // of them those of the shadow are the last
    static constexpr size_t kWithoutShadow = 8;
    using Topic = FixedString<13 + kMaxThingName + 40 + 128>;
    using Filter = FixedString<13 + kMaxThingName + 32>;

    void open();
    void end(Status why);

    MqttClient& client_;
    Clock& clock_;
    const TimeFloor& floor_;
    const Config config_;
    FixedString<13 + kMaxThingName> prefix_;
    std::array<Filter, kFilters> filters_;
    Topic topic_;  // of what is published; here, and not on the stack
    Backoff backoff_{1000, 128000};
    bool is_open_ = false;
    bool is_up_ = false;
    Millis opened_at_ = 0;
    Millis open_at_ = 0;
    uint32_t connection_ = 0;
    Status why_;
};

}  // namespace ota
