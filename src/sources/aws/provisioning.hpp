// A device's first certificate by AWS IoT fleet provisioning (developer guide, "Device provisioning
// MQTT API"): its key is made here, and never leaves it.
#pragma once

#include "ports/identity_store.hpp"
#include "sources/aws/identity_record.hpp"

namespace ota {

struct ProvisioningParameter {
    const char* name = nullptr;
    std::string_view value;
};

// In the context of who calls ota_manager_provision(); nothing blocks. What it has got is pending
// in the store until the thing is registered and has connected with it once; so a loss of power at
// any time costs at most a certificate that is never activated.
class Provisioning {
  public:
    // Texts stay the caller's.
    struct Config {
        const char* endpoint = nullptr;
        uint16_t port = 8883;
        const char* claim = nullptr;  // the client's id while it has the claim certificate
        HttpTls tls;                  // of the claim; judged_at is not used
        std::string_view template_name;
        std::string_view serial_number;
        std::span<const ProvisioningParameter> parameters;
    };
    Provisioning(MqttClient& client, Clock& clock, const TimeFloor& floor, IdentityStore& store,
                 const Config& config);
    ~Provisioning() { client_.close(); }
    Provisioning(const Provisioning&) = delete;
    Provisioning& operator=(const Provisioning&) = delete;
    void seed(uint32_t value) { backoff_.seed(value); }

    // Ok: identity() is current, and durable. kTryAgain: call again. Else it has failed for good
    // until something is mended: kRefused / kProvisioningRefused: the template, its hook or the
    // claim's policy; kStorage: the store.
    Status step();
    const ThingIdentity& identity() const { return identity_; }
    // Of the latest attempt; what ends when the caller's time is over.
    Status why() const { return why_; }

  private:
    enum class Phase : uint8_t { kLoad, kRequest, kRegister, kProve, kDone };

    Status load();
    Status begin();
    Status forget_pending();
    Status move();
    Status open();
    Status ask();
    Status take(const MqttMessage& message);
    Status take_certificate(Bytes payload);
    Status take_thing(Bytes payload);
    Status take_rejection(Bytes payload);
    Status save(IdentityPlace place);
    Status accept();
    Status again(Status why);
    Status start_over(Status why);

    MqttClient& client_;
    Clock& clock_;
    const TimeFloor floor_;
    IdentityStore& store_;
    const Config config_;
    FixedString<160> create_;    // topic; with /accepted and /rejected behind it
    FixedString<160> register_;  // likewise
    std::array<FixedString<176>, 4> filters_;
    FixedString<192> filter_of_thing_;

    Phase phase_ = Phase::kLoad;
    ThingIdentity identity_;
    RequestPem request_;
    FixedString<4096> body_;
    std::array<uint8_t, kMaxIdentityRecord> record_;
    bool is_open_ = false;
    bool is_asked_ = false;
    uint8_t refusals_ = 0;  // of the pending certificate
    bool is_second_ = false;
    Millis since_ = 0;  // of the connection, or the question
    Millis open_at_ = 0;
    Backoff backoff_{1000, 64000};
    Status why_;
};

}  // namespace ota
