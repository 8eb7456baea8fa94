// Settings by the named shadow "ota" (AWS IoT developer guide, "Device Shadow MQTT topics"): what
// is desired is taken, what is in force is reported.
#pragma once

#include "ports/backoff.hpp"
#include "ports/remote_settings.hpp"
#include "sources/aws/aws_link.hpp"
#include "wire/json_writer.hpp"

namespace ota {

// What a message about a shadow says; desired is a view into it, "{}" when it has none.
struct ShadowMessage {
    uint64_t version = 0;
    uint64_t code = 0;  // of a rejection: as of HTTP
    FixedString<12> token;
    std::string_view desired = "{}";
};

// Engine context. A delta, or an update of somebody else, tells that something has changed, and no
// more: it may be old, or come out of order, and does not say what was taken out. So the whole
// shadow is fetched each time. What is asked has a token, for the answers to others come, too.
class SettingsShadow {
  public:
    // is_on: false, and nothing is asked or told.
    SettingsShadow(AwsLink& link, Clock& clock, SettingsHost& host, bool is_on)
        : link_(link), clock_(clock), host_(host), is_on_(is_on) {}
    void seed(uint32_t value) { backoff_.seed(value); }

    // Asks or tells what is due; often.
    void step();
    // Of a topic behind "shadow/name/ota/".
    void take(std::string_view topic, Bytes payload);

  private:
    enum class Asked : uint8_t { kNothing, kGet, kUpdate };

    void connected();
    void get();
    void update();
    void take_whole(bool is_whole, const ShadowMessage& shadow);
    void take_rejection(uint64_t code);
    void hear(uint64_t version);
    // Closes body and sends it.
    void ask(Asked what, JsonWriter& body);
    void rest();

    AwsLink& link_;
    Clock& clock_;
    SettingsHost& host_;
    const bool is_on_;
    uint32_t connection_ = 0;
    Asked asked_ = Asked::kNothing;
    bool wants_get_ = false;
    uint64_t version_ = 0;    // that was taken
    uint64_t newest_ = 0;     // that was heard of
    uint32_t number_ = 0;     // of the latest request
    FixedString<12> token_;   // of it
    SettingsText told_;       // what the cloud has taken last; empty: nothing in this connection
    SettingsText telling_;    // what it was told, without an answer yet
    FixedString<1040> body_;  // of a request
    Millis asked_at_ = 0;
    Millis rest_until_ = 0;
    Backoff backoff_{10000, 640000};
};

}  // namespace ota
