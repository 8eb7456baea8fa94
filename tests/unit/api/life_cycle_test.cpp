// start, stop, deinit and calls from other tasks.
#include "api/api_bench.hpp"

namespace api_test {
namespace {

TEST_F(CApi, StopAbortsAndStartGoesOn) {
    start();
    ASSERT_EQ(ota_manager_start_update(), ESP_OK);
    ASSERT_EQ(wait(OTA_STATUS_READY_TO_APPLY), ESP_OK);
    ASSERT_EQ(ota_manager_stop(), ESP_OK);
    EXPECT_EQ(ota_manager_get_status(), OTA_STATUS_ABORTED);
    ASSERT_EQ(ota_manager_start(), ESP_OK);
    ASSERT_EQ(ota_manager_start_update(), ESP_OK);
    EXPECT_EQ(wait(OTA_STATUS_READY_TO_APPLY), ESP_OK);
}

TEST_F(CApi, StopAndStartAfterAConfirmationIsNoNewTrial) {
    start();
    update_and_reboot();
    start();
    EXPECT_TRUE(wait_for_confirmation());
    ASSERT_EQ(ota_manager_stop(), ESP_OK);
    ASSERT_EQ(ota_manager_start(), ESP_OK);
    usleep(100000);
    ota_boot_status_t boot{};
    ASSERT_EQ(ota_manager_get_boot_status(&boot), ESP_OK);
    EXPECT_FALSE(boot.trial);
    EXPECT_EQ(boot.running_slot, 1);
}

TEST_F(CApi, TrialIsKnownWhenStartReturns) {
    start();
    update_and_reboot();
    init();
    ASSERT_EQ(ota_manager_add_health_probe(
                  "never", [](void*) { return OTA_HEALTH_PENDING; }, nullptr),
              ESP_OK);
    ASSERT_EQ(ota_manager_start(), ESP_OK);
    ota_boot_status_t boot{};
    ASSERT_EQ(ota_manager_get_boot_status(&boot), ESP_OK);
    EXPECT_TRUE(boot.trial);
    EXPECT_EQ(ota_manager_check_for_update(), ESP_ERR_INVALID_STATE);
    EXPECT_EQ(ota_manager_confirm(), ESP_OK);
    EXPECT_TRUE(wait_for_confirmation());
}

TEST_F(CApi, AcceptedThresholdsSurviveAStop) {
    start();
    ASSERT_EQ(ota_manager_set_bms_safety_thresholds(90, 45.0F, 0.0F, 10.0F), ESP_OK);
    ASSERT_EQ(ota_manager_stop(), ESP_OK);
    ASSERT_EQ(ota_manager_start(), ESP_OK);
    ASSERT_EQ(ota_manager_start_update(), ESP_OK);
    EXPECT_EQ(wait(OTA_STATUS_FAILED), ESP_OK);
    ota_error_info_t error{};
    ASSERT_EQ(ota_manager_get_last_error(&error), ESP_OK);
    EXPECT_EQ(error.limit, 90);
}

TEST_F(CApi, StartAndStopFromTwoTasks) {
    init();
    std::atomic<bool> done{false};
    std::thread stopper([&] {
        while (!done) (void)ota_manager_stop();
    });
    for (int i = 0; i < 50; ++i) {
        const esp_err_t error = ota_manager_start();
        ASSERT_TRUE(error == ESP_OK || error == ESP_ERR_INVALID_STATE);
        usleep(500);
    }
    done = true;
    stopper.join();
}

TEST_F(CApi, NoStartWhenARestartIsDue) {
    start();
    update_and_stop();
    EXPECT_EQ(ota_manager_start(), ESP_ERR_INVALID_STATE);
}

TEST_F(CApi, CheckThenStartInOneBreath) {
    start();
    ASSERT_EQ(ota_manager_check_for_update(), ESP_OK);
    ASSERT_EQ(ota_manager_start_update(), ESP_OK);
    EXPECT_EQ(wait(OTA_STATUS_READY_TO_APPLY), ESP_OK);
}

TEST_F(CApi, StopSendsWaitersAwayAndOnlyOneStopWins) {
    start();
    std::atomic<int> away{0};
    std::vector<std::thread> waiters;
    for (int i = 0; i < 3; ++i) {
        waiters.emplace_back([&] {
            const esp_err_t error =
                ota_manager_wait_for_status(OTA_STATUS_BIT(OTA_STATUS_COMPLETE), 60000, nullptr);
            away += error == ESP_ERR_INVALID_STATE ? 1 : 0;
        });
    }
    usleep(20000);
    std::atomic<int> won{0};
    std::thread other([&] { won += ota_manager_stop() == ESP_OK ? 1 : 0; });
    won += ota_manager_stop() == ESP_OK ? 1 : 0;
    other.join();
    for (std::thread& waiter : waiters) waiter.join();
    EXPECT_EQ(away, 3);
    EXPECT_EQ(won, 1);
}

TEST_F(CApi, CallsFromOtherTasksWhileItComesAndGoes) {
    std::atomic<bool> done{false};
    std::thread reader([&] {
        ota_boot_status_t boot{};
        ota_error_info_t error{};
        while (!done) {
            (void)ota_manager_get_status();
            (void)ota_manager_get_boot_status(&boot);
            (void)ota_manager_get_last_error(&error);
            (void)ota_manager_check_for_update();
            (void)ota_manager_abort();
            (void)ota_manager_wait_for_status(OTA_STATUS_BIT(OTA_STATUS_COMPLETE), 1, nullptr);
        }
    });
    for (int i = 0; i < 20; ++i) {
        start();
        usleep(2000);
        ASSERT_EQ(ota_manager_stop(), ESP_OK);
        ASSERT_EQ(ota_manager_deinit(), ESP_OK);
    }
    done = true;
    reader.join();
}

TEST_F(CApi, NoticesComeFromTheEngine) {
    static std::atomic<int> inside;
    inside = 0;
    ota_manager_config_t c = config();
    c.event_cb = [](ota_status_t, ota_error_t error, void*) {
        const bool engine = ota_manager_stop() == ESP_ERR_INVALID_STATE &&
                            ota_manager_deinit() == ESP_ERR_INVALID_STATE &&
                            ota_manager_start() == ESP_ERR_INVALID_STATE;
        if (engine && error == OTA_ERR_BMS_UNSAFE) ++inside;
    };
    ASSERT_EQ(ota_manager_init(&c), ESP_OK);
    ASSERT_EQ(ota_manager_start(), ESP_OK);  // without a battery provider: one warning
    for (int i = 0; i < 5000 && inside == 0; ++i) usleep(1000);
    EXPECT_EQ(inside, 1);
}

TEST_F(CApi, InitOnceAndAgainAfterDeinit) {
    init();
    const ota_manager_config_t c = config();
    EXPECT_EQ(ota_manager_init(&c), ESP_ERR_INVALID_STATE);
    EXPECT_EQ(ota_manager_deinit(), ESP_OK);
    start();
    EXPECT_EQ(ota_manager_deinit(), ESP_ERR_INVALID_STATE);
    EXPECT_EQ(ota_manager_start(), ESP_ERR_INVALID_STATE);
    EXPECT_EQ(ota_manager_stop(), ESP_OK);
    EXPECT_EQ(ota_manager_start(), ESP_OK);
}

}  // namespace
}  // namespace api_test
