// A device with a job in AWS IoT, from the connection to the installed package, on virtual time.
#pragma once

#include "engine/components_bench.hpp"
#include "sources/aws/aws_source.hpp"
#include "support/fake_aws.hpp"

namespace ota {

inline const std::string kThings = test::FakeAws::kThings;

struct Thing : Device, test::FakeAws {
    explicit Thing(const test::DeviceLayout& layout = {}, uint32_t size = 80 * 1024)
        : Device(layout) {
        put_image(0, test::make_signed_of_size("1.0.0", 32 * 1024, 1));
        clock.set_wall(kFirstBuild + 1000);
        probes.push_back(&probe);
        settings.automatic_update = true;
        settings.rollback_timeout_ms = 5000;
        source.offered = false;
        package = test::make_signed_of_size("1.1.0", size, 2);
        power_on();
    }
    void power_on(ResetReason reset = ResetReason::kPowerOn) {
        pair.reset();
        extra_source = {};
        EXPECT_TRUE(boot(reset));
        connect();
    }
    // As Instance does; the manager has to be there first, for its log.
    void connect() {
        AwsLink::Config config;
        config.endpoint = "localhost";
        config.thing = "bess-1";
        config.streams = streams;
        pair.emplace(mqtt, nullptr, clock, manager().time_floor(), manager().log(), manager(),
                     config);
        (void)manager().add_source({&pair->channel, &pair->source, SourceKind::kAwsIot});
    }
    template <typename Done>
    bool live(Done done, Millis limit = 600000) {
        return run_until(
            [&] {
                if (!restart.requested) answer();
                return restart.requested || done();
            },
            limit);
    }
    bool update() {
        if (!live([] { return false; }) || !restart.requested) return false;
        power_on(ResetReason::kSoftware);
        return is_told();
    }
    // The cloud knows the end, and the device that it does.
    bool is_told() {
        return live([&] {
            return status == "OVER" && manager().log().job().stage == JobRecord::Stage::kDone;
        });
    }

    StreamForm streams = StreamForm::kCbor;  // from the next start on
    test::FakeProbe probe;
    std::optional<AwsPair> pair;
};

inline bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace ota
