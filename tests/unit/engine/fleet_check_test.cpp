// When the units of a fleet look for updates.
#include <numeric>

#include "engine/suit_bench.hpp"
#include "engine/update_bench.hpp"

namespace ota {
namespace {

// When 200 units check that were powered at one moment: by tenths of an interval.
struct FleetOfCheckers {
    static constexpr Millis kInterval = 3600000;
    static constexpr size_t kUnits = 200;
    static constexpr size_t kBins = 60;

    template <typename Change>
    explicit FleetOfCheckers(Change change) {
        for (uint32_t unit = 1; unit <= kUnits; ++unit) {
            Device device;
            device.put_image(0, make_signed_of_size("1.0.0", kUpdateImageSize, 1));
            device.source.offered = false;
            device.settings.check_interval_ms = kInterval;
            device.settings.jitter_seed = unit * 2654435761U;
            device.clock.set_wall(kWednesdayNoon);
            EXPECT_TRUE(device.boot());
            change(device);
            const Millis begin = device.clock.now();
            size_t seen = 0;
            Millis first = 0;
            Millis latest = 0;
            (void)device.run_until(
                [&] {
                    const auto checks = static_cast<size_t>(
                        std::count(device.signal.entries.begin(), device.signal.entries.end(),
                                   State::kChecking));
                    if (checks == seen) return false;
                    seen = checks;
                    const Millis now = device.clock.now() - begin;
                    if (checks == 1) first = now;
                    if (checks > 1) ++bins[std::min<size_t>(now * 10 / kInterval, kBins - 1)];
                    if (checks > 1) longest = std::max(longest, now - latest);
                    latest = now;
                    return false;
                },
                6 * kInterval);
            latest_first = std::max(latest_first, first);
            early += first < 20000 ? 1U : 0U;
        }
    }
    // Checks of the busiest tenth in the mean tenth's, without the start.
    double peak_to_mean() const {
        const auto sum = std::accumulate(bins.begin(), bins.end(), size_t{0});
        const size_t peak = *std::max_element(bins.begin(), bins.end());
        return static_cast<double>(peak * kBins) / static_cast<double>(sum);
    }

    std::array<size_t, kBins> bins{};
    Millis latest_first = 0;
    Millis longest = 0;
    size_t early = 0;  // units that checked in the first third of a minute
};

TEST(FleetCheck, UnitsThatArePoweredTogetherDoNotCheckTogether) {
    const FleetOfCheckers fleet([](Device&) {});
    EXPECT_LE(fleet.latest_first, 61000U);
    EXPECT_GE(fleet.early, FleetOfCheckers::kUnits / 5);
    EXPECT_LE(fleet.early, FleetOfCheckers::kUnits / 2);
    EXPECT_LE(fleet.peak_to_mean(), 2.0);
    EXPECT_LE(fleet.longest, FleetOfCheckers::kInterval + 1000);
}

TEST(FleetCheck, UnitsThatGetAnotherIntervalTogetherDoNotCheckTogether) {
    const FleetOfCheckers fleet([](Device& device) {
        device.settings.remote_settings = true;
        device.settings.check_interval_ms = 86400000;
        ASSERT_TRUE(device.boot());
        (void)device.run_until([] { return false; }, 600000);
        device.signal.entries.clear();
        ASSERT_TRUE(device.manager()
                        .take_settings(R"({"check_interval_s":3600})", SettingsCarrier::kShadow)
                        .ok());
    });
    EXPECT_LE(fleet.peak_to_mean(), 2.0);
}

TEST(FleetCheck, UnitsWhoseWindowOpensTogetherDoNotCheckTogether) {
    std::vector<Millis> firsts;
    for (uint32_t unit = 1; unit <= 50; ++unit) {
        Device device;
        device.put_image(0, make_signed_of_size("1.0.0", kUpdateImageSize, 1));
        device.source.offered = false;
        device.settings.remote_settings = true;
        device.settings.check_interval_ms = 600000;
        device.settings.jitter_seed = unit * 2654435761U;
        device.clock.set_wall(kWednesdayNoon);
        ASSERT_TRUE(device.boot());
        // 12:00; it opens in an hour.
        ASSERT_TRUE(device.manager()
                        .take_settings(R"({"window":{"from":"13:00","minutes":60}})",
                                       SettingsCarrier::kShadow)
                        .ok());
        const Millis begin = device.clock.now();
        ASSERT_TRUE(device.run_until([&] { return !device.signal.entries.empty(); }, 2 * 3600000));
        firsts.push_back(device.clock.now() - begin);
    }
    const auto [least, most] = std::minmax_element(firsts.begin(), firsts.end());
    EXPECT_GE(*least, 3599000U);
    EXPECT_GE(*most - *least, 30000U);
    EXPECT_LE(*most, 3600000U + 600000 / 4 + 2000);
}

}  // namespace
}  // namespace ota
