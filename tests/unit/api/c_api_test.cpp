// What the calls of the C API do and refuse.
#include "api/api_bench.hpp"

extern "C" {
void example_basic_initialization(void);
void example_thresholds(void);
void example_manual_check(void);
void example_sd_card(void);
void example_configuration(ota_manager_config_t* out);
}

namespace api_test {
namespace {

TEST_F(CApi, WholeUpdate) {
    start();
    ASSERT_EQ(ota_manager_check_for_update(), ESP_OK);
    ASSERT_EQ(wait(OTA_STATUS_UPDATE_AVAILABLE), ESP_OK);
    ota_update_info_t info{};
    ASSERT_EQ(ota_manager_get_update_info(&info), ESP_OK);
    EXPECT_STREQ(info.version, "1.1.0");
    EXPECT_STREQ(info.running_version, "1.0.0");
    EXPECT_EQ(info.size, kSize);
    ASSERT_EQ(ota_manager_start_update(), ESP_OK);
    ASSERT_EQ(wait(OTA_STATUS_READY_TO_APPLY), ESP_OK);
    size_t received = 0;
    size_t total = 0;
    ASSERT_EQ(ota_manager_get_progress(&received, &total), ESP_OK);
    EXPECT_EQ(received, kSize);
    EXPECT_EQ(total, kSize);
    ASSERT_EQ(ota_manager_apply(), ESP_OK);
    ASSERT_EQ(wait(OTA_STATUS_REBOOTING), ESP_OK);
    for (int i = 0; i < 1000 && restart_.count == 0; ++i) usleep(1000);
    EXPECT_GT(restart_.count, 0);
    ASSERT_EQ(ota_manager_stop(), ESP_OK);
    ASSERT_TRUE(device_.boot(ota::ResetReason::kSoftware));
    EXPECT_EQ(device_.running(), 1);
}

// A trial boot is known the moment start returns, before the engine had its first turn.
// The notice of a trial's end comes from the engine's task, like every callback.
TEST_F(CApi, EverythingNeedsInitFirst) {
    ota_error_info_t error{};
    ota_boot_status_t boot{};
    ota_update_info_t info{};
    ota_report_t report{};
    size_t n = 0;
    EXPECT_EQ(ota_manager_start(), ESP_ERR_INVALID_STATE);
    EXPECT_EQ(ota_manager_stop(), ESP_ERR_INVALID_STATE);
    EXPECT_EQ(ota_manager_deinit(), ESP_ERR_INVALID_STATE);
    EXPECT_EQ(ota_manager_check_for_update(), ESP_ERR_INVALID_STATE);
    EXPECT_EQ(ota_manager_rollback(), ESP_ERR_INVALID_STATE);
    EXPECT_EQ(ota_manager_get_status(), OTA_STATUS_IDLE);
    EXPECT_EQ(ota_manager_get_progress(&n, &n), ESP_ERR_INVALID_STATE);
    EXPECT_EQ(ota_manager_get_last_error(&error), ESP_ERR_INVALID_STATE);
    EXPECT_EQ(ota_manager_get_update_info(&info), ESP_ERR_INVALID_STATE);
    EXPECT_EQ(ota_manager_get_boot_status(&boot), ESP_ERR_INVALID_STATE);
    EXPECT_EQ(ota_manager_get_last_report(&report), ESP_ERR_INVALID_STATE);
    EXPECT_EQ(ota_manager_set_battery_provider(provide, this), ESP_ERR_INVALID_STATE);
    EXPECT_EQ(ota_manager_wait_for_status(1, 0, nullptr), ESP_ERR_INVALID_STATE);
    EXPECT_EQ(ota_manager_set_bms_safety_thresholds(30, 45, 0, 10), ESP_ERR_INVALID_STATE);
}

TEST_F(CApi, NullAndNonsenseAreRefused) {
    init();
    EXPECT_EQ(ota_manager_init(nullptr), ESP_ERR_INVALID_ARG);
    EXPECT_EQ(ota_manager_get_last_error(nullptr), ESP_ERR_INVALID_ARG);
    EXPECT_EQ(ota_manager_get_update_info(nullptr), ESP_ERR_INVALID_ARG);
    EXPECT_EQ(ota_manager_get_boot_status(nullptr), ESP_ERR_INVALID_ARG);
    EXPECT_EQ(ota_manager_get_last_report(nullptr), ESP_ERR_INVALID_ARG);
    EXPECT_EQ(ota_manager_get_progress(nullptr, nullptr), ESP_ERR_INVALID_ARG);
    EXPECT_EQ(ota_manager_set_battery_provider(nullptr, nullptr), ESP_ERR_INVALID_ARG);
    EXPECT_EQ(ota_manager_add_health_probe(nullptr, nullptr, nullptr), ESP_ERR_INVALID_ARG);
    EXPECT_EQ(ota_manager_add_source(OTA_SOURCE_SD_CARD, nullptr), ESP_ERR_INVALID_ARG);
    EXPECT_EQ(ota_manager_set_bms_safety_thresholds(101, 45, 0, 10), ESP_ERR_INVALID_ARG);
    EXPECT_EQ(ota_manager_set_bms_safety_thresholds(30, 0, 0, 10), ESP_ERR_INVALID_ARG);
    EXPECT_EQ(ota_manager_wait_for_status(0, 0, nullptr), ESP_ERR_INVALID_ARG);
}

TEST_F(CApi, InitNamesTheOffendingField) {
    ota_manager_config_t c = config();
    c.min_soc = 200;
    EXPECT_EQ(ota_manager_init(&c), ESP_ERR_INVALID_ARG);
    EXPECT_EQ(std::string(ota_manager_config_error()).rfind("min_soc", 0), 0U);
    c = config();
    c.public_key_pem = "nonsense";
    EXPECT_EQ(ota_manager_init(&c), ESP_ERR_OTA_MGR_KEY);
    EXPECT_EQ(std::string(ota_manager_config_error()).rfind("public_key_pem", 0), 0U);
    c = config();
    c.source = OTA_SOURCE_USB_DRIVE;
    c.config.usb_drive.filepath = "/usb/bess.bin";
    EXPECT_EQ(ota_manager_init(&c), ESP_ERR_NOT_SUPPORTED);  // this twin has no USB
    init();
    EXPECT_STREQ(ota_manager_config_error(), "");
}

TEST_F(CApi, MissingJournalPartitionIsNamed) {
    ota::PartitionTable table;
    for (const ota::Partition& partition : device_.table().partitions()) {
        const bool journal = partition.label.view() == ota::layout::kJournalLabel;
        ASSERT_TRUE(journal || table.add(partition));
    }
    ASSERT_TRUE(table
                    .serialize(ota::MutableBytes(device_.memory())
                                   .subspan(ota::layout::kPartitionTableOffset,
                                            ota::layout::kPartitionTableSize))
                    .ok());
    const ota_manager_config_t c = config();
    EXPECT_EQ(ota_manager_init(&c), ESP_ERR_OTA_MGR_PARTITION);
    EXPECT_NE(std::string(ota_manager_config_error()).find("ota_journal, data, 0x06, , 0x4000"),
              std::string::npos);
}

TEST_F(CApi, CommandsOutOfPlaceAreRefused) {
    start();
    EXPECT_EQ(ota_manager_apply(), ESP_ERR_INVALID_STATE);
    EXPECT_EQ(ota_manager_abort(), ESP_ERR_INVALID_STATE);
    EXPECT_EQ(ota_manager_confirm(), ESP_ERR_INVALID_STATE);
}

TEST_F(CApi, LowBatteryIsReportedWithItsReading) {
    soc_ = 12;
    start();
    ASSERT_EQ(ota_manager_start_update(), ESP_OK);
    ASSERT_EQ(wait(OTA_STATUS_FAILED), ESP_OK);
    ota_error_info_t error{};
    ASSERT_EQ(ota_manager_get_last_error(&error), ESP_OK);
    EXPECT_EQ(error.error, OTA_ERR_BATTERY_LOW);
    EXPECT_EQ(error.reading, 12);
    EXPECT_EQ(error.limit, 30);
    ASSERT_EQ(ota_manager_set_bms_safety_thresholds(10, 45.0F, 0.0F, 10.0F), ESP_OK);
    ASSERT_EQ(ota_manager_start_update(), ESP_OK);
    EXPECT_EQ(wait(OTA_STATUS_READY_TO_APPLY), ESP_OK);
}

struct Recorded {
    std::vector<ota_status_t> states;
    size_t progress = 0;
    bool refused = true;  // in every single callback
    ota_status_t inside = OTA_STATUS_IDLE;
};

TEST_F(CApi, CallbacksMayCallEverythingButWaitStopDeinit) {
    Recorded recorded;
    ota_manager_config_t c = config();
    c.event_cb = [](ota_status_t status, ota_error_t, void* user) {
        auto& r = *static_cast<Recorded*>(user);
        r.states.push_back(status);
        r.refused = r.refused && ota_manager_stop() == ESP_ERR_INVALID_STATE &&
                    ota_manager_deinit() == ESP_ERR_INVALID_STATE &&
                    ota_manager_wait_for_status(1, 0, nullptr) == ESP_ERR_INVALID_STATE;
        r.inside = ota_manager_get_status();
        if (status == OTA_STATUS_UPDATE_AVAILABLE) (void)ota_manager_start_update();
    };
    c.event_cb_data = &recorded;
    c.progress_cb = [](size_t received, size_t total, void* user) {
        EXPECT_LE(received, total);
        ++static_cast<Recorded*>(user)->progress;
    };
    c.progress_cb_data = &recorded;
    start(c);
    ASSERT_EQ(ota_manager_check_for_update(), ESP_OK);
    ASSERT_EQ(wait(OTA_STATUS_READY_TO_APPLY), ESP_OK);
    ASSERT_EQ(ota_manager_stop(), ESP_OK);
    EXPECT_TRUE(recorded.refused);
    EXPECT_GE(recorded.states.size(), 5U);
    EXPECT_EQ(recorded.inside, recorded.states.back());
    EXPECT_GE(recorded.progress, 2U);
}

TEST_F(CApi, SafetyCallbackAndNotices) {
    static std::atomic<bool> allow;
    static std::atomic<int> paused;
    allow = true;
    paused = 0;
    init();
    ASSERT_EQ(
        ota_manager_set_safety_callback(
            [](ota_phase_t phase, void*) { return phase != OTA_PHASE_REBOOT || allow; }, nullptr),
        ESP_OK);
    ASSERT_EQ(
        ota_manager_set_notice_cb(
            [](const ota_notice_info_t* notice, void*) {
                if (notice->notice == OTA_NOTICE_PAUSED && notice->error == OTA_ERR_BMS_UNSAFE)
                    ++paused;
            },
            nullptr),
        ESP_OK);
    allow = false;
    ASSERT_EQ(ota_manager_start(), ESP_OK);
    ASSERT_EQ(ota_manager_start_update(), ESP_OK);
    ASSERT_EQ(wait(OTA_STATUS_READY_TO_APPLY), ESP_OK);
    ASSERT_EQ(ota_manager_apply(), ESP_OK);
    for (int i = 0; i < 2000 && paused == 0; ++i) usleep(1000);
    EXPECT_EQ(paused, 1);
    EXPECT_EQ(ota_manager_get_status(), OTA_STATUS_APPLYING);
    allow = true;
    EXPECT_EQ(wait(OTA_STATUS_REBOOTING), ESP_OK);
}

TEST_F(CApi, MoreSourcesCanBeAdded) {
    init();
    ota_source_config_t more{};
    more.sd_card.filepath = "/sdcard/other*.bin";
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(ota_manager_add_source(OTA_SOURCE_SD_CARD, &more), ESP_OK);
    EXPECT_EQ(ota_manager_add_source(OTA_SOURCE_SD_CARD, &more), ESP_ERR_NO_MEM);
}

// As the reference firmware asks for them, and one more.
TEST_F(CApi, EachKindOfSourceAtOnce) {
    ota_manager_config_t c = config();
    c.source = OTA_SOURCE_HTTPS;
    c.config = {};
    c.config.https.url = "https://localhost:1/bess.suit";
    ASSERT_EQ(ota_manager_init(&c), ESP_OK) << ota_manager_config_error();
    ota_source_config_t more{};
    more.sd_card.filepath = "/sdcard/bess_*";
    EXPECT_EQ(ota_manager_add_source(OTA_SOURCE_SD_CARD, &more), ESP_OK);
    more = {};
    more.sd_card.filepath = "/sdcard/drive/bess_*";  // this platform has no USB drive
    EXPECT_EQ(ota_manager_add_source(OTA_SOURCE_SD_CARD, &more), ESP_OK);
    more = {};
    more.modbus.shared = true;
    EXPECT_EQ(ota_manager_add_source(OTA_SOURCE_MODBUS, &more), ESP_OK);
    more = {};
    more.aws_iot.endpoint = "localhost";
    more.aws_iot.thing_name = "bess-0042";
    more.aws_iot.device_cert_pem = more.aws_iot.device_key_pem = "c";
    EXPECT_EQ(ota_manager_add_source(OTA_SOURCE_AWS_IOT, &more), ESP_OK);
    more = {};
    more.sd_card.filepath = "/sdcard/other*";
    EXPECT_EQ(ota_manager_add_source(OTA_SOURCE_SD_CARD, &more), ESP_OK);
    EXPECT_EQ(ota_manager_add_source(OTA_SOURCE_SD_CARD, &more), ESP_ERR_NO_MEM);
}

TEST_F(CApi, AwsIotIsCheckedFieldByField) {
    const auto refused = [&](const char* field, auto change) {
        ota_manager_config_t c = config();
        c.source = OTA_SOURCE_AWS_IOT;
        c.config.aws_iot = {"a1-ats.iot.eu-central-1.amazonaws.com",
                            "bess-0042",
                            nullptr,
                            "c",
                            "k",
                            0,
                            false,
                            nullptr,
                            false};
        change(c.config.aws_iot);
        EXPECT_EQ(ota_manager_init(&c), ESP_ERR_INVALID_ARG);
        EXPECT_NE(std::string(ota_manager_config_error()).find(field), std::string::npos) << field;
    };
    refused("endpoint", [](ota_aws_iot_config_t& c) { c.endpoint = nullptr; });
    refused("endpoint", [](ota_aws_iot_config_t& c) { c.endpoint = "https://x"; });
    refused("thing_name", [](ota_aws_iot_config_t& c) { c.thing_name = "a/b"; });
    refused("thing_name", [](ota_aws_iot_config_t& c) { c.thing_name = ""; });
    refused("device_cert_pem", [](ota_aws_iot_config_t& c) { c.device_cert_pem = nullptr; });
    refused("device_key_pem", [](ota_aws_iot_config_t& c) { c.device_key_pem = ""; });
    ota_manager_config_t good = config();
    good.source = OTA_SOURCE_AWS_IOT;
    good.config.aws_iot = {"localhost", "bess-0042", nullptr, "c", "k", 443, true, "no key", false};
    EXPECT_EQ(ota_manager_init(&good), ESP_ERR_OTA_MGR_KEY);
    EXPECT_NE(std::string(ota_manager_config_error()).find("code_signing_key_pem"),
              std::string::npos);
    good.config.aws_iot.code_signing_key_pem = test::public_pem(test::Key::kOtherEc);
    ASSERT_EQ(ota_manager_init(&good), ESP_OK);
    ota_source_config_t second{};
    second.aws_iot = good.config.aws_iot;
    EXPECT_EQ(ota_manager_add_source(OTA_SOURCE_AWS_IOT, &second), ESP_ERR_NO_MEM);
}

TEST_F(CApi, ProbesFillUp) {
    init();
    const auto probe = [](void*) { return OTA_HEALTH_PASS; };
    for (int i = 0; i < 4; ++i)
        EXPECT_EQ(ota_manager_add_health_probe("p", probe, nullptr), ESP_OK);
    EXPECT_EQ(ota_manager_add_health_probe("p", probe, nullptr), ESP_ERR_NO_MEM);
}

TEST_F(CApi, FullMailboxIsNoMemory) {
    init();
    static std::atomic<bool> hold;
    hold = true;
    ASSERT_EQ(ota_manager_set_notice_cb(nullptr, nullptr), ESP_OK);
    ASSERT_EQ(ota_manager_set_safety_callback(
                  [](ota_phase_t, void*) {
                      while (hold) usleep(100);
                      return true;
                  },
                  nullptr),
              ESP_OK);
    ASSERT_EQ(ota_manager_start(), ESP_OK);
    ASSERT_EQ(ota_manager_start_update(), ESP_OK);
    ASSERT_EQ(wait(OTA_STATUS_UPDATE_AVAILABLE), ESP_OK);
    esp_err_t last = ESP_OK;
    int accepted = 0;
    for (int i = 0; i < 20 && last == ESP_OK; ++i) {
        last = ota_manager_set_bms_safety_thresholds(30, 45.0F, 0.0F, 10.0F);
        accepted += last == ESP_OK ? 1 : 0;
    }
    hold = false;
    EXPECT_EQ(last, ESP_ERR_NO_MEM);
    EXPECT_EQ(accepted, 8);
    EXPECT_EQ(ota_manager_stop(), ESP_OK);  // also with a full mailbox
}

TEST_F(CApi, SpecificationExamplesRun) {
    ota_manager_config_t c{};
    example_configuration(&c);
    EXPECT_NE(c.event_cb, nullptr);
    EXPECT_NE(c.progress_cb, nullptr);
    c.event_cb(OTA_STATUS_FAILED, OTA_ERR_BATTERY_LOW, nullptr);
    c.progress_cb(50, 100, nullptr);
    example_basic_initialization();  // HTTPS is not in this build: prints the error and returns
    example_sd_card();               // no key: refused
    EXPECT_EQ(ota_manager_get_status(), OTA_STATUS_IDLE);
    start();
    example_thresholds();
    example_manual_check();
    EXPECT_EQ(wait(OTA_STATUS_UPDATE_AVAILABLE), ESP_OK);
}

}  // namespace
}  // namespace api_test
