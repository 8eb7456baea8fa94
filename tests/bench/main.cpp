// How fast an update is. The first tables are simulated: engine and writer as they are, flash and
// link as models on the virtual clock, so they are the same on every machine. The last one measures
// this machine, as a ratio within one run.
#include <psa/crypto.h>

#include <chrono>
#include <cstdio>
#include <cstring>

#include "aws_stream.hpp"
#include "field_bus.hpp"
#include "link_model.hpp"
#include "module_boards.hpp"
#include "sources/https/https_channel.hpp"
#include "sources/https/https_source.hpp"
#include "support/device.hpp"

namespace bench {
namespace {

using ota::ErasePolicy;
using ota::FlashModel;
using ota::State;
using test::Buffer;

constexpr uint32_t kImageSize = 366 * 4096;  // 1.5 MB
constexpr uint32_t kSlotSize = 0x200000;
constexpr double kTarget = 1.05;

// Flash operations take their time.
class TimedFlash final : public ota::FlashObserver {
  public:
    explicit TimedFlash(ota::VirtualClock& clock) : clock_(clock) {}
    void on_operation(const ota::FlashOperation& operation) override {
        clock_.advance_micros(operation.micros);
    }
    void on_power_lost() override {}

  private:
    ota::VirtualClock& clock_;
};

const Buffer& image() {
    static const Buffer bytes = test::make_signed_of_size("1.1.0", kImageSize, 2);
    return bytes;
}

struct Run {
    double seconds = 0;  // from the start of the download to the proven image
};

// The least time that this flash needs for the image, whatever writes it.
double least_flash_seconds(ErasePolicy policy) {
    const uint32_t blocks = kImageSize / 65536;
    const uint32_t rest = (kImageSize % 65536 + 4095) / 4096 * FlashModel::kSectorMicros;
    const uint64_t erases = policy == ErasePolicy::kSector
                                ? uint64_t{kImageSize / 4096} * FlashModel::kSectorMicros
                                : uint64_t{blocks} * FlashModel::kBlockMicros +
                                      std::min(rest, FlashModel::kBlockMicros);
    const Buffer& bytes = image();
    uint64_t pages = 0;
    for (size_t at = 0; at < bytes.size(); at += 256) {
        pages += ota::is_blank(ota::Bytes(bytes).subspan(at, 256)) ? 0 : 1;
    }
    return static_cast<double>(erases + pages * FlashModel::kPageMicros) / 1e6;
}

Run update(const Link& link, ErasePolicy policy) {
    test::DeviceLayout layout;
    layout.slot_size = kSlotSize;
    layout.policy = policy;
    test::Device device(layout);
    LinkModel client(device.clock, link);
    ota::TimeFloor floor;
    ota::HttpsSource source(client, device.clock, floor, {});
    ota::HttpsChannel channel("https://update.example/bess.bin");
    client.file = image();
    device.source.offered = false;
    device.extra_source = {&channel, &source};
    device.put_image(0, test::make_signed_of_size("1.0.0", 64 * 1024, 1));
    TimedFlash timed(device.clock);
    Run run;
    if (!device.boot()) return run;
    (void)device.post(ota::CommandKind::kStartUpdate);
    if (!device.run_to(State::kDownloading)) return run;
    device.flash.set_observer(&timed);
    const uint64_t begin = device.clock.micros();
    if (!device.run_to(State::kReadyToApply)) return run;
    run.seconds = static_cast<double>(device.clock.micros() - begin) / 1e6;
    return run;
}

// The classic way, over the same link: erase everything, then write as it comes.
double erase_all_first(const Link& link) {
    ota::VirtualClock clock;
    LinkModel client(clock, link);
    client.file = image();
    const ota::TimeFloor floor;
    ota::HttpsSource source(client, clock, floor, {});
    const uint64_t begin = clock.micros();
    (void)source.start({{"https://update.example/bess.bin"}, 0, ota::kToEnd, {}});
    clock.advance_micros(kImageSize / 65536 * uint64_t{FlashModel::kBlockMicros} +
                         kImageSize % 65536 / 4096 * uint64_t{FlashModel::kSectorMicros});
    Buffer buffer(4096);
    while (true) {
        const ota::Result<size_t> n = source.read(buffer);
        if (!n.ok()) break;
        clock.advance_micros(*n == 0 ? 10000 : (*n + 255) / 256 * FlashModel::kPageMicros);
    }
    return static_cast<double>(clock.micros() - begin) / 1e6;
}

bool simulate() {
    struct Row {
        const char* name;
        ErasePolicy policy;
        uint64_t window;
        bool has_bar;
    };
    const Row rows[] = {
        {"64 KiB erases, 64 KiB window", ErasePolicy::kBlockAhead, 65536, true},
        {"64 KiB erases, 5.7 KB window", ErasePolicy::kBlockAhead, 5744, false},
        {"4 KiB erases, 64 KiB window", ErasePolicy::kSector, 65536, false},
        {"4 KiB erases, 5.7 KB window", ErasePolicy::kSector, 5744, false},
    };
    const uint64_t rates[] = {100000, 200000, 1000000, 10000000};
    bool good = true;
    std::printf("update of %u bytes: seconds (and time / max(link time, flash time))\n",
                kImageSize);
    std::printf("  %-30s %16s %16s %16s %16s\n", "", "100 kB/s", "200 kB/s", "1 MB/s", "10 MB/s");
    for (const Row& row : rows) {
        std::printf("  %-30s", row.name);
        for (const uint64_t rate : rates) {
            const Link link{rate, row.window, 20000};
            const Run run = update(link, row.policy);
            const double link_seconds = double{kImageSize} / static_cast<double>(rate);
            const double ratio =
                run.seconds / std::max(link_seconds, least_flash_seconds(row.policy));
            std::printf("   %6.2f s (%.3f)", run.seconds, ratio);
            good = good && run.seconds > 0 && (!row.has_bar || ratio <= kTarget);
        }
        std::printf("\n");
    }
    std::printf("  %-30s", "erase all first, 64 KiB window");
    for (const uint64_t rate : rates) {
        std::printf("   %6.2f s        ", erase_all_first({rate, 65536, 20000}));
    }
    std::printf("\n  target for the first row: <= %.2f: %s\n", kTarget, good ? "met" : "MISSED");
    return good;
}

double seconds_now() {
    using namespace std::chrono;
    return duration<double>(steady_clock::now().time_since_epoch()).count();
}

double hash_seconds(const Buffer& bytes) {
    const double begin = seconds_now();
    (void)test::sha256(bytes);
    return seconds_now() - begin;
}

double pipeline_seconds(const Buffer& package) {
    test::DeviceLayout layout;
    layout.slot_size = 0x800000;
    layout.policy = ErasePolicy::kBlockAhead;
    test::Device device(layout);
    device.put_image(0, test::make_signed_of_size("1.0.0", 64 * 1024, 1));
    device.source.package = package;
    if (!device.boot()) return 0;
    (void)device.post(ota::CommandKind::kStartUpdate);
    if (!device.run_to(State::kDownloading)) return 0;
    const double begin = seconds_now();
    if (!device.run_to(State::kReadyToApply)) return 0;
    return seconds_now() - begin;
}

// Signed as Secure Boot does it by default: RSA-3072.
Buffer large_package() {
    test::ImageSpec spec;
    spec.payload = 7 * 1024 * 1024;
    return test::make_signed(spec, test::Key::kRsa);
}

bool measure() {
    const Buffer package = large_package();
    double pipeline = 1e9;
    double hash = 1e9;
    for (int i = 0; i < 7; ++i) {
        pipeline = std::min(pipeline, pipeline_seconds(package));
        hash = std::min(hash, hash_seconds(package));
    }
    const double megabytes = static_cast<double>(package.size()) / 1e6;
    std::printf(
        "whole pipeline in memory on this machine: %.0f MB/s; SHA-256 of the same bytes by the "
        "same library: %.0f MB/s; ratio %.2f\n",
        megabytes / pipeline, megabytes / hash, hash / pipeline);
    return pipeline > 0 && pipeline < 1e9;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
    if (psa_crypto_init() != PSA_SUCCESS) return 2;
    if (argc == 3 && std::strcmp(argv[1], "--write-package") == 0) {
        // The bytes that are hashed, for a comparison with sha256sum.
        const auto bytes = bench::large_package();
        std::FILE* file = std::fopen(argv[2], "wb");
        const bool ok =
            file != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
        return file != nullptr && std::fclose(file) == 0 && ok ? 0 : 1;
    }
    const bool simulated = bench::simulate();
    const bool buses = bench::field_buses() && bench::module_boards();
    const bool stream = bench::aws_stream();
    const bool tcp = bench::modbus_tcp();
    const bool measured = bench::measure();
    return simulated && buses && stream && tcp && measured ? 0 : 1;
}
