// A build with HTTPS and raw images alone: what was left out is refused by name, and nothing else
// is different. The unit tests of the update run in it as well.
#include "api/callbacks.hpp"
#include "api/source_check.hpp"
#include "engine/suit_bench.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

TEST(Reduced, ASuitPackageIsRefusedBeforeFlashIsTouched) {
    SuitBench device;
    device.source.package = test::make_suit(SuitBench::spec_of("1.1.0", 100));
    Buffer slots[2] = {Buffer(0x20000), Buffer(0x20000)};
    ASSERT_TRUE(device.flash.read(device.table().slot(1)->offset, slots[0]).ok());
    EXPECT_EQ(device.start(), Detail::kLeftOut);
    ASSERT_TRUE(device.flash.read(device.table().slot(1)->offset, slots[1]).ok());
    EXPECT_TRUE(slots[0] == slots[1]);
    // And the next raw image is taken.
    device.source.package = test::make_signed_of_size("1.1.0", 32 * 1024, 3);
    EXPECT_EQ(device.start(), Detail::kNone);
}

TEST(Reduced, OtherSourcesAreNotSupported) {
    EXPECT_TRUE(is_supported(OTA_SOURCE_HTTPS));
    for (const ota_source_t source : {OTA_SOURCE_AWS_IOT, OTA_SOURCE_MODBUS, OTA_SOURCE_CANBUS,
                                      OTA_SOURCE_SD_CARD, OTA_SOURCE_USB_DRIVE}) {
        EXPECT_FALSE(is_supported(source)) << source;
    }
    ota_source_config_t config{};
    config.sd_card.filepath = "/sdcard/bess.bin";
    EXPECT_STREQ(check_source(OTA_SOURCE_SD_CARD, config), "source: left out of this build");
}

// OTA_MANAGER_NO_BATTERY: nobody has to be asked; who is there is asked all the same.
TEST(Reduced, BenchBoardNeedsNoBattery) {
    VirtualClock clock;
    clock.advance(7000);
    CallbackBattery battery(clock);
    BatterySnapshot seen;
    ASSERT_TRUE(battery.snapshot(seen).ok());
    EXPECT_EQ(seen.soc_percent, 100);
    EXPECT_EQ(seen.taken_at, static_cast<int64_t>(clock.now()));
    battery.set([](ota_battery_reading_t*, void*) { return false; }, nullptr);
    EXPECT_EQ(battery.snapshot(seen).detail(), Detail::kBatteryUnreadable);
}

TEST(Reduced, KeepsNoRoomForManifests) {
    EXPECT_EQ(sizeof(Workspace), build::kIoBuffer + kPackagePrefixSize);
}

}  // namespace
}  // namespace ota
