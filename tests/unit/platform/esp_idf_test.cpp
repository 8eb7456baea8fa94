// The adapters of ESP-IDF over a model of it (tests/support/idf_shim).
#include <gtest/gtest.h>

#include <thread>

#include "api/callbacks.hpp"
#include "boot/otadata.hpp"
#include "contracts/flash.hpp"
#include "contracts/mailbox.hpp"
#include "esp_idf/esp_boot.hpp"
#include "esp_idf/esp_events.hpp"
#include "esp_idf/partition_flash.hpp"
#include "esp_idf/rtos.hpp"
#include "idf_model.hpp"
#include "ota_manager_event.h"

namespace ota {
namespace {

using idf_model::chip;

esp_partition_t partition(esp_partition_type_t type, int subtype, const char* label,
                          uint32_t address, uint32_t size) {
    esp_partition_t out{};
    out.type = type;
    out.subtype = static_cast<esp_partition_subtype_t>(subtype);
    out.address = address;
    out.size = size;
    std::snprintf(out.label, sizeof out.label, "%s", label);
    return out;
}

struct ModelledChip : testing::Test {
    ModelledChip() {
        chip = idf_model::Chip();
        chip.flash = &flash;
        chip.partitions = {partition(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA,
                                     "otadata", 0x1000, layout::kOtadataSize),
                           partition(ESP_PARTITION_TYPE_APP, 0x10, "ota_0", 0x10000, 0x10000),
                           partition(ESP_PARTITION_TYPE_APP, 0x11, "ota_1", 0x20000, 0x10000)};
        chip.running = 0x10000;
    }
    std::vector<uint8_t> memory = std::vector<uint8_t>(0x30000, 0xFF);
    FlashModel flash{memory};
};

TEST_F(ModelledChip, PartitionIsAPieceOfFlash) {
    PartitionFlash standby(chip.partitions[2]);
    EXPECT_EQ(standby.geometry().size, 0x10000U);
    EXPECT_EQ(standby.geometry().write_unit, 1U);
    ASSERT_TRUE(standby.erase(0, 0x2000).ok());
    EXPECT_GE(chip.delays, 1U);  // others had their turn
    const std::vector<uint8_t> bytes(600, 0xA5);
    ASSERT_TRUE(standby.program(100, bytes).ok());
    std::vector<uint8_t> back(600);
    ASSERT_TRUE(standby.read(100, back).ok());
    EXPECT_EQ(back, bytes);
    EXPECT_EQ(memory[0x20000 + 100], 0xA5);
    EXPECT_TRUE(standby.read(0xFFFF, back).is(Code::kOutOfRange));
    EXPECT_TRUE(standby.program(0x10000, bytes).is(Code::kOutOfRange));
    EXPECT_TRUE(standby.erase(0xFFFFF000, 0x2000).is(Code::kOutOfRange));
    chip.partitions[2].encrypted = true;
    EXPECT_EQ(PartitionFlash(chip.partitions[2]).geometry().write_unit, 16U);
    flash.cut_at(1, CutKind::kClean, 1);
    EXPECT_EQ(standby.erase(0, 0x1000).detail(), Detail::kFlashErase);
}

TEST_F(ModelledChip, PartitionKeepsTheFlashContract) {
    PartitionFlash standby(chip.partitions[2]);
    contract::check_flash(standby);
}

TEST_F(ModelledChip, QueueKeepsTheMailboxContract) {
    QueueMailbox mailbox;
    contract::check_mailbox(mailbox);
}

TEST_F(ModelledChip, RunningImageIsNeverWritten) {
    PartitionFlash running(chip.partitions[1]);
    const std::vector<uint8_t> bytes(16, 0);
    EXPECT_EQ(running.program(0, bytes).detail(), Detail::kRunningSlot);
    EXPECT_EQ(running.erase(0, 0x1000).detail(), Detail::kRunningSlot);
    EXPECT_EQ(memory[0x10000], 0xFF);
    std::vector<uint8_t> back(16);
    EXPECT_TRUE(running.read(0, back).ok());
}

// As the C API's callbacks, which is what they are.
TEST_F(ModelledChip, EventsReachTheDefaultLoop) {
    ota_manager_config_t config{};
    config.event_cb = esp_events::post_status;
    config.progress_cb = esp_events::post_progress;
    CallbackSink sink(config);
    sink.set_notice(esp_events::post_notice, nullptr);
    Event event;
    event.kind = Event::Kind::kState;
    event.state = State::kFailed;
    event.status = {Code::kUnavailable, Origin::kSource, Detail::kConnectionLost};
    sink.on_event(event);
    event.kind = Event::Kind::kProgress;
    event.received = 100;
    event.total = 400;
    sink.on_event(event);
    event.kind = Event::Kind::kNotice;
    event.notice = Notice::kPaused;
    event.status = {Code::kUnsafe, Origin::kSafety, Detail::kSocLow};
    event.reading = 12;
    sink.on_event(event);
    ASSERT_EQ(chip.events.size(), 3U);
    for (const idf_model::PostedEvent& posted : chip.events) {
        EXPECT_EQ(posted.base, OTA_MANAGER_EVENT);
        EXPECT_LE(posted.longest, pdMS_TO_TICKS(100));
    }
    const auto as = [&](size_t i, auto data) {
        EXPECT_EQ(chip.events[i].data.size(), sizeof data);
        std::memcpy(&data, chip.events[i].data.data(), sizeof data);
        return data;
    };
    EXPECT_EQ(chip.events[0].id, OTA_MANAGER_EVENT_STATUS);
    EXPECT_EQ(as(0, ota_manager_event_status_t{}).status, OTA_STATUS_FAILED);
    EXPECT_EQ(as(0, ota_manager_event_status_t{}).error, OTA_ERR_CONNECTIVITY);
    EXPECT_EQ(chip.events[1].id, OTA_MANAGER_EVENT_PROGRESS);
    EXPECT_EQ(chip.events[1].longest, 0U);  // the next one says more
    EXPECT_EQ(as(1, ota_manager_event_progress_t{}).received, 100U);
    EXPECT_EQ(as(1, ota_manager_event_progress_t{}).total, 400U);
    EXPECT_EQ(chip.events[2].id, OTA_MANAGER_EVENT_NOTICE);
    EXPECT_EQ(as(2, ota_notice_info_t{}).notice, OTA_NOTICE_PAUSED);
    EXPECT_EQ(as(2, ota_notice_info_t{}).reading, 12);
}

TEST_F(ModelledChip, StartIsDescribed) {
    const std::pair<esp_reset_reason_t, ResetReason> cases[] = {
        {ESP_RST_POWERON, ResetReason::kPowerOn},  {ESP_RST_SW, ResetReason::kSoftware},
        {ESP_RST_PANIC, ResetReason::kPanic},      {ESP_RST_TASK_WDT, ResetReason::kWatchdog},
        {ESP_RST_INT_WDT, ResetReason::kWatchdog}, {ESP_RST_BROWNOUT, ResetReason::kBrownout}};
    for (const auto& [esp, own] : cases) {
        chip.reset = esp;
        EXPECT_EQ(boot_setup().reset, own);
    }
    EXPECT_EQ(boot_setup().running, 0);
    EXPECT_EQ(boot_setup().slot_count, 2);
    EXPECT_FALSE(boot_setup().factory);
    chip.partitions.push_back(partition(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_FACTORY,
                                        "factory", 0x2F000, 0x1000));
    EXPECT_TRUE(boot_setup().factory);
    chip.running = 0x2F000;
    EXPECT_EQ(boot_setup().running, kFactorySlot);
}

TEST_F(ModelledChip, ConfirmationBurnsTheSecureVersion) {
    chip.app.secure_version = 5;
    PartitionFlash otadata(chip.partitions[0]);
    EspSlotInspector inspector;
    OtadataBootControl entries(otadata, inspector, boot_setup());
    EspBootControl boot(entries);
    ASSERT_TRUE(boot.arm_trial(1).ok());
    BootStatus status;
    ASSERT_TRUE(boot.status(status).ok());
    EXPECT_EQ(status.boot, 1);
    EXPECT_EQ(status.state_of(1), layout::kStateNew);
    ASSERT_TRUE(boot.disarm().ok());
    ASSERT_TRUE(boot.status(status).ok());
    EXPECT_NE(status.boot, 1);
    EXPECT_EQ(chip.burned_version, 0U);
    ASSERT_TRUE(boot.settle(true).ok());
    EXPECT_EQ(chip.burned_version, 5U);
    ASSERT_TRUE(boot.status(status).ok());
    EXPECT_EQ(status.state_of(0), layout::kStateValid);
    chip.image = ESP_FAIL;  // nothing else boots: the running image stays
    EXPECT_EQ(boot.settle(false).detail(), Detail::kNoOtherImage);
}

// More than the eFuses can count, or less than they have: confirmed, it would never be confirmed.
TEST_F(ModelledChip, ImageThatCantBeBurnedStaysOnTrial) {
    PartitionFlash otadata(chip.partitions[0]);
    EspSlotInspector inspector;
    OtadataBootControl entries(otadata, inspector, boot_setup());
    EspBootControl boot(entries);
    chip.burned_version = 3;
    for (const uint32_t version : {17U, 2U}) {
        chip.app.secure_version = version;
        EXPECT_EQ(boot.settle(true).detail(), Detail::kConfirmFailed);
        BootStatus status;
        ASSERT_TRUE(boot.status(status).ok());
        EXPECT_NE(status.state_of(0), layout::kStateValid);
    }
    // A burn that fails is made up for by the bootloader.
    chip.app.secure_version = 16;
    chip.burn_fails = true;
    EXPECT_TRUE(boot.settle(true).ok());
}

TEST_F(ModelledChip, SlotBelowTheBurnedVersionDoesNotBoot) {
    EspSlotInspector inspector;
    EXPECT_TRUE(inspector.is_bootable(1));
    chip.burned_version = 1;
    EXPECT_FALSE(inspector.is_bootable(1));
    chip.other_app.secure_version = 1;
    EXPECT_TRUE(inspector.is_bootable(1));
}

// The factory image has no entry that could be VALID.
TEST_F(ModelledChip, ConfirmationOfTheFactoryImageIsWell) {
    chip.partitions.push_back(partition(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_FACTORY,
                                        "factory", 0x2F000, 0x1000));
    chip.running = 0x2F000;
    PartitionFlash otadata(chip.partitions[0]);
    EspSlotInspector inspector;
    OtadataBootControl entries(otadata, inspector, boot_setup());
    EspBootControl boot(entries);
    EXPECT_TRUE(boot.settle(true).ok());
}

// A write that fails with the power still on has erased the entry already: asked again, the answer
// is what the next start does.
TEST_F(ModelledChip, GivingUpTwiceIsGivingUp) {
    PartitionFlash otadata(chip.partitions[0]);
    EspSlotInspector inspector;
    OtadataBootControl boot(otadata, inspector, boot_setup());
    ASSERT_TRUE(boot.arm_trial(1).ok());  // another image, confirmed earlier
    ASSERT_TRUE(boot.settle(true).ok());
    flash.cut_at(2, CutKind::kClean, 1);
    EXPECT_FALSE(boot.settle(false).ok());
    flash.power_on();
    BootStatus status;
    ASSERT_TRUE(boot.status(status).ok());
    ASSERT_EQ(status.boot, 1);
    EXPECT_TRUE(boot.settle(false).ok());
    chip.image = ESP_FAIL;
    EXPECT_EQ(boot.settle(false).detail(), Detail::kNoOtherImage);
}

TEST_F(ModelledChip, SlotsBehindAGapDoNotCount) {
    chip.partitions.erase(chip.partitions.begin() + 1);  // ota_0
    EXPECT_EQ(boot_setup().slot_count, 0);
}

TEST(Rtos, MailboxIsBoundedAndInOrder) {
    QueueMailbox mailbox;
    Command command;
    EXPECT_FALSE(*mailbox.take(command, 0));
    for (int i = 0; i < 8; ++i) {
        command.kind = CommandKind::kSetThresholds;
        command.thresholds.min_soc_percent = i;
        ASSERT_TRUE(mailbox.post(command).ok());
    }
    EXPECT_TRUE(mailbox.post(command).is(Code::kNoSpace));
    for (int i = 0; i < 8; ++i) {
        ASSERT_TRUE(*mailbox.take(command, 1000));
        EXPECT_EQ(command.thresholds.min_soc_percent, i);
    }
    EXPECT_FALSE(*mailbox.take(command, 20));
}

TEST(Rtos, ShortStatesAreNotMissed) {
    EventGroupSignal signal;
    State hit = State::kIdle;
    constexpr uint32_t kComplete = 1U << static_cast<unsigned>(State::kComplete);
    EXPECT_EQ(signal.wait(1, 0, hit), StatusSignal::Outcome::kHit);  // IDLE is now
    EXPECT_EQ(signal.wait(kComplete, 30, hit), StatusSignal::Outcome::kTimeout);
    std::thread other([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        signal.entered(State::kComplete);
        signal.entered(State::kRebooting);
    });
    EXPECT_EQ(signal.wait(kComplete, 5000, hit), StatusSignal::Outcome::kHit);
    EXPECT_EQ(hit, State::kComplete);
    other.join();
    std::thread ending([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        signal.cancel();
    });
    EXPECT_EQ(signal.wait(kComplete, 5000, hit), StatusSignal::Outcome::kCancelled);
    ending.join();
}

TEST(Rtos, TaskKnowsItself) {
    PinnedTask task;
    struct Seen {
        PinnedTask* task;
        bool inside;
    } seen{&task, false};
    EXPECT_FALSE(task.is_current());
    ASSERT_TRUE(task.start(
                        {},
                        [](void* argument) {
                            auto* own = static_cast<Seen*>(argument);
                            own->inside = own->task->is_current();
                        },
                        &seen)
                    .ok());
    task.join();
    EXPECT_TRUE(seen.inside);
    EXPECT_FALSE(task.is_current());
}

}  // namespace
}  // namespace ota
