// Settings by the named shadow "ota" (AWS IoT developer guide, "Device Shadow MQTT topics"): what
// is desired is taken, what is in force is reported.
#pragma once

#include "ports/backoff.hpp"
#include "ports/remote_settings.hpp"
#include "sources/aws/aws_link.hpp"

namespace ota {

// Engine context. A delta tells that something has changed, and no more: it may be old, or come out
// of order, and does not say what was taken out. So the whole shadow is fetched each time.
class SettingsShadow {
  public:
    SettingsShadow(AwsLink& link, Clock& clock, SettingsHost& host)
        : link_(link), clock_(clock), host_(host) {}

    // Asks or tells what is due; often.
    void step();
    // Of a topic behind "shadow/name/ota/".
    void take(std::string_view topic, Bytes payload);

  private:
    enum class Asked : uint8_t { kNothing, kGet, kUpdate };

    void get();
    void update();
    void take_whole(Bytes payload);
    void take_rejection(Bytes payload);
    void take_delta(Bytes payload);
    void ask(Asked what);
    void rest();

    AwsLink& link_;
    Clock& clock_;
    SettingsHost& host_;
    uint32_t connection_ = 0;
    Asked asked_ = Asked::kNothing;
    bool wants_get_ = false;
    uint64_t version_ = 0;    // the highest that was seen
    SettingsText told_;       // what the cloud has taken last; empty: nothing in this connection
    SettingsText telling_;    // what it was told, without an answer yet
    FixedString<1000> body_;  // of a request
    Millis asked_at_ = 0;
    Millis wait_ = 0;
    Millis rest_until_ = 0;
    Backoff backoff_{10000, 640000};
};

}  // namespace ota
