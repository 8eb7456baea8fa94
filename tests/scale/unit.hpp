// One device of a fleet in a process: the whole core out of a modelled flash, a connection of its
// own, and the host's clock.
#pragma once

#include <ctime>
#include <memory>
#include <string>

#include "linux/http_curl.hpp"
#include "linux/mqtt_mosquitto.hpp"
#include "sources/aws/aws_source.hpp"
#include "sources/https/https_channel.hpp"
#include "support/device.hpp"

namespace scale {

inline constexpr test::DeviceLayout kLayout{.slot_size = 0x10000};

struct Places {
    uint16_t broker = 0;
    std::string authority;  // PEM
    std::string identity;   // certificate and key, PEM
    std::string check_url;  // not empty: checked each hour of the device's time
};

class Unit {
  public:
    Unit(uint32_t number, const Places& places, const test::Buffer& image)
        : places_(places), thing_("unit-" + std::to_string(number)), device_(kLayout) {
        device_.put_image(0, image);
        device_.clock.set_wall(time(nullptr));
        device_.source.offered = false;
        device_.probes.push_back(&probe_);
        device_.settings.automatic_update = true;
        device_.settings.rollback_timeout_ms = 10000;
        device_.settings.jitter_seed = number * 2654435761U;
        if (!places.check_url.empty()) device_.settings.check_interval_ms = 3600000;
    }

    bool power_on(ota::ResetReason reset = ota::ResetReason::kPowerOn) {
        aws_.reset();
        web_.reset();
        if (!device_.boot(reset)) return false;
        if (places_.check_url.empty()) {
            connect();
        } else {
            look_at_url();
        }
        return true;
    }

    // A round of the engine, elapsed milliseconds of its time after the one before.
    void step(ota::Millis elapsed) {
        if (is_broken_) return;
        device_.clock.advance(elapsed);
        (void)device_.manager().step(0);
        if (device_.restart_requested()) is_broken_ = !power_on(ota::ResetReason::kSoftware);
    }

    // The new image is confirmed, and the cloud has heard of it.
    bool is_done() {
        return !is_broken_ && device_.running_version() == "1.1.0" &&
               !device_.manager().snapshot().trial &&
               device_.manager().log().job().stage == ota::JobRecord::Stage::kDone;
    }

    // What a unit of the product has in memory for it, without flash and connection.
    static constexpr size_t core_size() {
        return sizeof(ota::Manager) + sizeof(ota::Workspace) + sizeof(ota::AwsPair) +
               sizeof(ota::HttpsSource);
    }

  private:
    ota::HttpTls tls() const {
        ota::HttpTls out;
        out.ca_pem = places_.authority.c_str();
        return out;
    }
    void make_web(ota::HttpTls tls) {
        ota::HttpsSource::Config config;
        config.tls = tls;
        config.home = places_.check_url;
        web_.emplace(http_, device_.clock, device_.manager().time_floor(), config);
    }
    void connect() {
        make_web(tls());
        ota::AwsLink::Config config;
        config.endpoint = "localhost";
        config.port = places_.broker;
        config.thing = thing_.c_str();
        config.tls = tls();
        config.tls.client_cert_pem = config.tls.client_key_pem = places_.identity.c_str();
        aws_.emplace(mqtt_, &*web_, device_.clock, device_.manager().time_floor(),
                     device_.manager().log(), device_.manager(), config);
        aws_->link.seed(device_.settings.jitter_seed);
        (void)device_.manager().add_source(
            {&aws_->channel, &aws_->source, ota::SourceKind::kAwsIot});
    }
    void look_at_url() {
        make_web(tls());
        channel_.emplace(places_.check_url);
        (void)device_.manager().add_source({&*channel_, &*web_, ota::SourceKind::kHttps});
    }

    const Places& places_;
    const std::string thing_;
    ota::MosquittoClient mqtt_;
    ota::CurlHttpClient http_;
    test::Device device_;
    test::FakeProbe probe_;
    std::optional<ota::HttpsSource> web_;
    std::optional<ota::HttpsChannel> channel_;
    std::optional<ota::AwsPair> aws_;
    bool is_broken_ = false;
};

}  // namespace scale
