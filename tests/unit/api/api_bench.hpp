// The C API with the engine in its own thread, on the twin's composition.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "linux/compose.hpp"
#include "ota_manager.h"
#include "support/device.hpp"

namespace api_test {

using test::Device;
using test::make_signed_of_size;

inline constexpr uint32_t kSize = 24 * 1024;

class CountingRestart final : public ota::Restart {
  public:
    void restart() override { ++count; }
    std::atomic<int> count{0};
};

class CApi : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/bess-api-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        card_ = name;
        device_.put_image(0, make_signed_of_size("1.0.0", kSize, 1));
        put_on_card(make_signed_of_size("1.1.0", kSize, 2));
        ASSERT_TRUE(device_.boot());  // writes otadata as the bootloader does
        device_.shut_down();
        hand_over();
    }
    void TearDown() override {
        (void)ota_manager_stop();
        (void)ota_manager_deinit();
        ASSERT_EQ(unlink((card_ + "/bess.bin").c_str()), 0);
        (void)unlink((card_ + "/bess.bin.result.json").c_str());
        ASSERT_EQ(rmdir(card_.c_str()), 0);
    }
    // The bootloader has chosen; what the firmware gets from it.
    void hand_over() {
        ota::TwinSetup setup;
        setup.flash = device_.memory();
        setup.running = device_.running();
        setup.sd_directory = card_.c_str();
        setup.restart = &restart_;
        ota::set_twin(setup);
    }
    // From the running engine up to the restart, which is due and not made.
    void update_and_stop() {
        ASSERT_EQ(ota_manager_start_update(), ESP_OK);
        ASSERT_EQ(wait(OTA_STATUS_READY_TO_APPLY), ESP_OK);
        ASSERT_EQ(ota_manager_apply(), ESP_OK);
        ASSERT_EQ(wait(OTA_STATUS_REBOOTING), ESP_OK);
        ASSERT_EQ(ota_manager_stop(), ESP_OK);
    }
    // From the running engine through the restart into the new image, not started yet.
    void update_and_reboot() {
        update_and_stop();
        ASSERT_EQ(ota_manager_deinit(), ESP_OK);
        const ota_manager_config_t c = config();
        EXPECT_EQ(ota_manager_init(&c), ESP_ERR_INVALID_STATE);  // a restart is due
        ASSERT_TRUE(device_.boot(ota::ResetReason::kSoftware));
        device_.shut_down();
        hand_over();
    }
    static bool wait_for_confirmation() {
        ota_report_t report{};
        for (int i = 0; i < 5000 && !report.confirmed; ++i) {
            (void)ota_manager_get_last_report(&report);
            usleep(1000);
        }
        return report.confirmed;
    }
    void put_on_card(const test::Buffer& bytes) {
        std::ofstream file(card_ + "/bess.bin", std::ios::binary);
        file.write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
    }
    static ota_manager_config_t config() {
        ota_manager_config_t out{};
        out.source = OTA_SOURCE_SD_CARD;
        out.config.sd_card.filepath = "/sdcard/bess.bin";
        out.public_key_pem = test::public_pem(test::Key::kEc);
        return out;
    }
    void init(const ota_manager_config_t& c = config()) {
        ASSERT_EQ(ota_manager_init(&c), ESP_OK) << ota_manager_config_error();
        ASSERT_EQ(ota_manager_set_battery_provider(provide, this), ESP_OK);
    }
    void start(const ota_manager_config_t& c = config()) {
        init(c);
        ASSERT_EQ(ota_manager_start(), ESP_OK);
    }
    static bool provide(ota_battery_reading_t* reading, void* user) {
        *reading = {static_cast<CApi*>(user)->soc_, 18000, 24000, 0, 160000000, 0};
        return true;
    }
    static esp_err_t wait(ota_status_t status) {
        return ota_manager_wait_for_status(OTA_STATUS_BIT(status), 10000, nullptr);
    }

    std::string card_;
    Device device_;
    CountingRestart restart_;
    std::atomic<int> soc_{80};
};

}  // namespace api_test
