// What an update costs the flash beside the image.
#include <string>

#include "support/device.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

class RegionCounter final : public FlashObserver {
  public:
    void on_operation(const FlashOperation& operation) override {
        const bool journal = operation.address >= 0xB000 && operation.address < 0xF000;
        if (!journal) return;
        if (operation.kind == FlashOperation::Kind::kErase) ++erases;
    }
    void on_power_lost() override {}
    uint32_t erases = 0;
};

TEST(Wear, AtMostEightRecordsAndOneEraseAnUpdate) {
    test::Device device;
    device.put_image(0, test::make_signed_of_size("1.0.0", 24 * 1024, 1));
    device.source.proven_time = 1800000000;
    ASSERT_TRUE(device.boot());
    // The day's record of the time is the day's, not the update's.
    device.source.package = test::make_signed_of_size("1.0.0", 24 * 1024, 1);
    (void)device.post(CommandKind::kCheck);
    ASSERT_TRUE(device.run_until(
        [&] { return device.mailbox.queue.empty() && device.state() == State::kIdle; }));
    Journal before(device.journal_region());
    ASSERT_TRUE(before.open().ok());
    RegionCounter counter;
    device.flash.set_observer(&counter);
    uint32_t records = before.record_count();
    for (uint32_t i = 1; i <= 12; ++i) {
        const std::string version = "1." + std::to_string(i) + ".0";
        device.source.tag = "\"" + version + "\"";
        device.source.package = test::make_signed_of_size(version, 24 * 1024, i + 1);
        ASSERT_TRUE(device.update_and_settle()) << i;
        Journal journal(device.journal_region());
        ASSERT_TRUE(journal.open().ok());
        const uint32_t added = journal.record_count() - std::min(records, journal.record_count());
        EXPECT_LE(added, 8U) << i;
        records = journal.record_count();
    }
    EXPECT_LE(counter.erases, 12U);
}

}  // namespace
}  // namespace ota
