// AWS IoT that has a job for the device under test: its package by a stream, or by a URL.
#pragma once

#include "sources/aws/aws_source.hpp"
#include "support/device.hpp"
#include "support/fake_aws.hpp"
#include "support/fake_http.hpp"

namespace powercut {

class Cloud {
  public:
    Cloud(test::Device& device, const test::Buffer& package, bool by_url) : device_(device) {
        aws_.package = package;
        http_.file = package;
        if (by_url) {
            aws_.document = R"({"bess_ota":1,"url":"https://localhost/fw.bin","size":)" +
                            std::to_string(package.size()) + "}";
        }
        aws_.mqtt.peer = [this] {
            if (!device_.flash.is_off()) aws_.answer();
        };
        device.source.offered = false;
    }

    // After each start of the device, whose journal the job's state is in.
    void connect() {
        pair_.reset();
        web_.reset();
        aws_.mqtt.sent.clear();
        aws_.seen = 0;
        ota::Manager& manager = device_.manager();
        web_.emplace(http_, device_.clock, manager.time_floor(), ota::HttpsSource::Config{});
        ota::AwsLink::Config config;
        config.endpoint = "localhost";
        config.thing = "bess-1";
        pair_.emplace(aws_.mqtt, &*web_, device_.clock, manager.time_floor(), manager.log(),
                      manager, config);
        (void)manager.add_source({&pair_->channel, &pair_->source, ota::SourceKind::kAwsIot});
    }

    // What the cloud knows. The device's power does not touch it.
    struct State {
        std::string status = "QUEUED";
        uint64_t version = 1;
        std::string end;
    };
    State state() const { return {aws_.status, aws_.version, aws_.end}; }
    void set(const State& state) {
        aws_.status = state.status;
        aws_.version = state.version;
        aws_.end = state.end;
    }

    // Both know that the job is over; the device gets half a minute to tell.
    bool is_told() {
        return device_.run_until(
            [&] {
                return !aws_.end.empty() &&
                       device_.manager().log().job().stage == ota::JobRecord::Stage::kDone;
            },
            30000);
    }
    const std::string& end() const { return aws_.end; }

  private:
    test::Device& device_;
    test::FakeAws aws_;
    test::FakeHttpClient http_;
    std::optional<ota::HttpsSource> web_;
    std::optional<ota::AwsPair> pair_;
};

}  // namespace powercut
