#include "linux/battery_model.hpp"

#include <gtest/gtest.h>

namespace ota {
namespace {

TEST(BatteryModel, TakesWordsAndRefusesNonsenseWhole) {
    BatteryModel battery;
    ASSERT_TRUE(battery.apply("soc=12 t_max=50.5\n current=-3 stale=7000"));
    ota_battery_reading_t reading{};
    ASSERT_TRUE(battery.read(reading));
    EXPECT_EQ(reading.soc_percent, 12);
    EXPECT_EQ(reading.t_max_millicelsius, 50500);
    EXPECT_EQ(reading.current_milliampere, -3000);
    EXPECT_EQ(reading.age_ms, 7000U);
    for (const char* bad :
         {"soc", "soc=", "soc=x", "colour=3", "soc=50 soc=nan", "soc=1e99", "=3"}) {
        EXPECT_FALSE(battery.apply(bad)) << bad;
    }
    ASSERT_TRUE(battery.read(reading));
    EXPECT_EQ(reading.soc_percent, 12);
    ASSERT_TRUE(battery.apply("fail=1"));
    EXPECT_FALSE(battery.read(reading));
}

}  // namespace
}  // namespace ota
