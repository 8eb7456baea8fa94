// A stream of AWS IoT over a long way: one window of blocks for each round trip.
#include "aws_stream.hpp"

#include <cstdio>
#include <deque>

#include "sources/aws/aws_source.hpp"
#include "support/device.hpp"
#include "support/fake_aws.hpp"

namespace bench {
namespace {

using ota::Micros;
using ota::State;
using test::FakeMqtt;

constexpr uint32_t kImageSize = 1024 * 1024;
// AWS IoT Core quotas, "Throughput per second per connection".
constexpr uint64_t kBytesPerSecond = 512 * 1024;
constexpr uint64_t kWindow = uint64_t{ota::kStreamWindow} * ota::kStreamBlock;
constexpr double kTarget =
    1.7;  // while a block of 64 KiB is erased the window fills, and then waits

// Half a round trip each way, and no more bytes in a second than AWS lets through.
class LongWay final : public ota::MqttClient {
  public:
    LongWay(test::FakeAws& cloud, ota::VirtualClock& clock, Micros round_trip)
        : cloud_(cloud), clock_(clock), half_(round_trip / 2) {}

    ota::Status open(const ota::MqttConfig& config) override { return cloud_.mqtt.open(config); }
    ota::Status publish(std::string_view topic, ota::Bytes payload) override {
        up_.push_back({clock_.micros() + half_,
                       {std::string(topic), test::Buffer(payload.begin(), payload.end())}});
        return {};
    }
    ota::Result<bool> receive(ota::MqttMessage& out) override {
        serve();
        if (down_.empty() || down_.front().at > clock_.micros()) return false;
        current_ = down_.front().message;
        down_.pop_front();
        out = {current_.topic, current_.payload};
        return true;
    }
    void close() override { cloud_.mqtt.close(); }

  private:
    struct Underway {
        Micros at = 0;
        FakeMqtt::Message message;
    };
    void serve() {
        while (!up_.empty() && up_.front().at <= clock_.micros()) {
            const Micros at = up_.front().at;
            (void)cloud_.mqtt.publish(up_.front().message.topic, up_.front().message.payload);
            up_.pop_front();
            cloud_.answer();
            for (; !cloud_.mqtt.incoming.empty(); cloud_.mqtt.incoming.pop_front()) {
                const FakeMqtt::Message& message = cloud_.mqtt.incoming.front();
                const uint64_t size = message.topic.size() + message.payload.size();
                sent_until_ = std::max(sent_until_, at) + size * 1000000 / kBytesPerSecond;
                down_.push_back({sent_until_ + half_, message});
            }
        }
    }

    test::FakeAws& cloud_;
    ota::VirtualClock& clock_;
    const Micros half_;
    Micros sent_until_ = 0;
    std::deque<Underway> up_;
    std::deque<Underway> down_;
    FakeMqtt::Message current_;
};

class EngineTime final : public ota::FlashObserver {
  public:
    explicit EngineTime(ota::VirtualClock& clock) : clock_(clock) {}
    void on_operation(const ota::FlashOperation& operation) override {
        clock_.advance_micros(operation.micros);
    }
    void on_power_lost() override {}

  private:
    ota::VirtualClock& clock_;
};

// Seconds from the first byte to READY_TO_APPLY; 0: it did not get there.
double seconds_of_update(Micros round_trip) {
    test::DeviceLayout layout;
    layout.slot_size = 0x200000;
    layout.policy = ota::ErasePolicy::kBlockAhead;
    test::Device device(layout);
    device.put_image(0, test::make_signed_of_size("1.0.0", 64 * 1024, 1));
    device.source.offered = false;
    if (!device.boot()) return 0;
    test::FakeAws cloud;
    cloud.package = test::make_signed_of_size("1.1.0", kImageSize, 2);
    LongWay way(cloud, device.clock, round_trip);
    ota::Manager& manager = device.manager();
    ota::AwsLink::Config config;
    config.endpoint = "localhost";
    config.thing = "bess-1";
    ota::AwsPair pair(way, nullptr, device.clock, manager.time_floor(), manager.log(), manager,
                      config);
    (void)manager.add_source({&pair.channel, &pair.source, ota::SourceKind::kAwsIot});
    (void)device.post(ota::CommandKind::kStartUpdate);
    EngineTime time(device.clock);
    if (!device.run_to(State::kDownloading)) return 0;
    device.flash.set_observer(&time);
    const Micros begin = device.clock.micros();
    const bool done = device.run_to(State::kReadyToApply);
    device.flash.set_observer(nullptr);
    device.shut_down();
    return done ? static_cast<double>(device.clock.micros() - begin) / 1e6 : 0;
}

}  // namespace

bool aws_stream() {
    std::printf("\nAWS IoT stream, 1 MiB image, window of %llu KiB, 512 KiB/s a connection:\n",
                static_cast<unsigned long long>(kWindow / 1024));
    const double flash = seconds_of_update(0);
    std::printf("  no round trip      %6.2f s   the flash alone, and the connection's rate\n",
                flash);
    bool good = flash > 0;
    for (const Micros round_trip : {20000U, 100000U, 300000U}) {
        const double seconds = seconds_of_update(round_trip);
        const double windows = kImageSize / static_cast<double>(kWindow);
        const double limit = std::max(flash, windows * static_cast<double>(round_trip) / 1e6);
        const double ratio = limit > 0 ? seconds / limit : 0;
        good = good && ratio > 0 && ratio <= kTarget;
        std::printf(
            "  round trip %3u ms  %6.2f s   %4.0f KiB/s   %.2f of what flash or window need\n",
            static_cast<unsigned>(round_trip / 1000), seconds,
            seconds > 0 ? kImageSize / 1024.0 / seconds : 0, ratio);
    }
    std::printf("  target: <= %.2f of it: %s\n", kTarget, good ? "met" : "MISSED");
    std::printf("  RAM of a session on this host: %zu bytes, its window %llu of them\n",
                sizeof(ota::AwsPair), static_cast<unsigned long long>(kWindow));
    return good;
}

}  // namespace bench
