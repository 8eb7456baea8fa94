// The log through the C API: what is refused, and the card's files with the engine in its thread.
#include <filesystem>

#include "api_bench.hpp"

namespace {

using api_test::CApi;
namespace fs = std::filesystem;

struct LogApi : CApi {
    void TearDown() override {
        (void)ota_manager_stop();
        (void)ota_manager_deinit();
        fs::remove_all(card_ + "/log");
        CApi::TearDown();
    }
    static ota_log_config_t log_config() {
        ota_log_config_t out{};
        out.sd_card.directory = "/sdcard/log";
        return out;
    }
    static ota_log_config_t cloud_config() {
        ota_log_config_t out{};
        out.cloudwatch.endpoint = "localhost:1";
        out.cloudwatch.region = "eu-central-1";
        out.cloudwatch.log_group = "/bess/ota";
        out.cloudwatch.credentials_endpoint = "localhost:1";
        out.cloudwatch.role_alias = "bess-log";
        out.cloudwatch.thing_name = "bess-0042";
        out.cloudwatch.device_cert_pem = out.cloudwatch.device_key_pem = "x";
        return out;
    }
    std::string content() const {
        std::string out;
        std::error_code none;
        for (const auto& entry : fs::directory_iterator(card_ + "/log", none)) {
            std::ifstream in(entry.path());
            out.append(std::istreambuf_iterator<char>(in), {});
        }
        return out;
    }
    // Descriptors that lead to the card.
    size_t open_on_card() const {
        size_t out = 0;
        for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
            std::error_code none;
            out += fs::read_symlink(entry.path(), none).string().starts_with(card_) ? 1U : 0U;
        }
        return out;
    }
};

TEST_F(LogApi, LinesAreOnTheCardWhenTheManagerIsStopped) {
    init();
    const ota_log_config_t log = log_config();
    ASSERT_EQ(ota_manager_set_log(&log), ESP_OK);
    EXPECT_EQ(ota_manager_set_log(&log), ESP_ERR_INVALID_STATE);  // once
    ASSERT_EQ(ota_manager_start(), ESP_OK);
    ASSERT_EQ(ota_manager_check_for_update(), ESP_OK);
    ASSERT_EQ(wait(OTA_STATUS_UPDATE_AVAILABLE), ESP_OK);
    ASSERT_EQ(ota_manager_stop(), ESP_OK);
    EXPECT_NE(content().find("UPDATE_AVAILABLE"), std::string::npos);
    EXPECT_EQ(open_on_card(), 0U);  // it may be unmounted
    // And again.
    ASSERT_EQ(ota_manager_start(), ESP_OK);
    ASSERT_EQ(ota_manager_check_for_update(), ESP_OK);
    ASSERT_EQ(wait(OTA_STATUS_UPDATE_AVAILABLE), ESP_OK);
    const size_t before = content().size();
    ASSERT_EQ(ota_manager_stop(), ESP_OK);
    EXPECT_GT(content().size(), before);
}

TEST_F(LogApi, TheRestartWaitsForTheLastLine) {
    init();
    const ota_log_config_t log = log_config();
    ASSERT_EQ(ota_manager_set_log(&log), ESP_OK);
    ASSERT_EQ(ota_manager_start(), ESP_OK);
    ASSERT_EQ(ota_manager_start_update(), ESP_OK);
    ASSERT_EQ(wait(OTA_STATUS_READY_TO_APPLY), ESP_OK);
    ASSERT_EQ(ota_manager_apply(), ESP_OK);
    for (int i = 0; i < 5000 && restart_.count == 0; ++i) usleep(1000);
    ASSERT_EQ(restart_.count, 1);
    EXPECT_NE(content().find("REBOOTING"), std::string::npos);
}

TEST_F(LogApi, LevelsOfSinksThatAreThere) {
    EXPECT_EQ(ota_manager_set_log_level(OTA_LOG_SINK_SD_CARD, OTA_LOG_INFO), ESP_ERR_INVALID_STATE);
    init();
    ota_log_config_t log = log_config();
    log.sd_card.level = OTA_LOG_OFF;
    ASSERT_EQ(ota_manager_set_log(&log), ESP_OK);
    EXPECT_EQ(ota_manager_set_log_level(OTA_LOG_SINK_CLOUDWATCH, OTA_LOG_INFO), ESP_ERR_NOT_FOUND);
    EXPECT_EQ(ota_manager_set_log_level(OTA_LOG_SINK_CONSOLE, OTA_LOG_INFO), ESP_ERR_NOT_FOUND);
    EXPECT_EQ(ota_manager_set_log_level(static_cast<ota_log_sink_t>(3), OTA_LOG_INFO),
              ESP_ERR_INVALID_ARG);
    EXPECT_EQ(ota_manager_set_log_level(OTA_LOG_SINK_SD_CARD, static_cast<ota_log_level_t>(6)),
              ESP_ERR_INVALID_ARG);
    ASSERT_EQ(ota_manager_start(), ESP_OK);
    ASSERT_EQ(ota_manager_check_for_update(), ESP_OK);
    ASSERT_EQ(wait(OTA_STATUS_UPDATE_AVAILABLE), ESP_OK);
    ASSERT_EQ(ota_manager_stop(), ESP_OK);
    EXPECT_EQ(content(), "");
    EXPECT_EQ(ota_manager_set_log_level(OTA_LOG_SINK_SD_CARD, OTA_LOG_WARNING), ESP_OK);
    // Other settings change nothing about it.
    EXPECT_EQ(ota_manager_set_bms_safety_thresholds(40, 45, 0, 10), ESP_OK);
    ASSERT_EQ(ota_manager_start(), ESP_OK);
    ASSERT_EQ(ota_manager_check_for_update(), ESP_OK);
    ASSERT_EQ(wait(OTA_STATUS_UPDATE_AVAILABLE), ESP_OK);
    EXPECT_EQ(ota_manager_set_bms_safety_thresholds(41, 45, 0, 10), ESP_OK);
    ASSERT_EQ(ota_manager_stop(), ESP_OK);
    EXPECT_EQ(content().find("UPDATE_AVAILABLE"), std::string::npos);
}

TEST_F(LogApi, ACloudThatIsNotThereEndsNothing) {
    init();
    const ota_log_config_t log = cloud_config();
    ASSERT_EQ(ota_manager_set_log(&log), ESP_OK) << ota_manager_config_error();
    ASSERT_EQ(ota_manager_start(), ESP_OK);
    ASSERT_EQ(ota_manager_start_update(), ESP_OK);
    ASSERT_EQ(wait(OTA_STATUS_READY_TO_APPLY), ESP_OK);
    EXPECT_EQ(ota_manager_stop(), ESP_OK);
    EXPECT_EQ(ota_manager_deinit(), ESP_OK);
}

TEST_F(LogApi, EachFieldIsChecked) {
    init();
    EXPECT_EQ(ota_manager_set_log(nullptr), ESP_ERR_INVALID_ARG);
    const auto refused = [](const char* field, ota_log_config_t log, auto change) {
        change(log);
        EXPECT_EQ(ota_manager_set_log(&log), ESP_ERR_INVALID_ARG) << field;
        EXPECT_NE(std::string(ota_manager_config_error()).find(field), std::string::npos)
            << field << ": " << ota_manager_config_error();
    };
    using Log = ota_log_config_t;
    const Log file = log_config();
    const Log cloud = cloud_config();
    const std::string much(300, 'a');
    refused("console_level", file,
            [](Log& c) { c.console_level = static_cast<ota_log_level_t>(7); });
    refused("sd_card.level", file,
            [](Log& c) { c.sd_card.level = static_cast<ota_log_level_t>(7); });
    refused("directory", file, [](Log& c) { c.sd_card.directory = "log"; });
    refused("directory", file, [](Log& c) { c.sd_card.directory = "/usb/log"; });
    refused("directory", file, [](Log& c) { c.sd_card.directory = "/sdcard/../x"; });
    refused("max_file_size", file, [](Log& c) { c.sd_card.max_file_size = 4095; });
    refused("max_files", file, [](Log& c) { c.sd_card.max_files = 1; });
    refused("max_files", file, [](Log& c) { c.sd_card.max_files = 1000; });
    refused("cloudwatch.level", cloud,
            [](Log& c) { c.cloudwatch.level = static_cast<ota_log_level_t>(6); });
    refused("cloudwatch.endpoint", cloud, [](Log& c) { c.cloudwatch.endpoint = "https://x"; });
    refused("cloudwatch.endpoint", cloud, [](Log& c) { c.cloudwatch.endpoint = "x:443"; });
    refused("credentials_endpoint", cloud,
            [](Log& c) { c.cloudwatch.credentials_endpoint = nullptr; });
    refused("region", cloud, [](Log& c) { c.cloudwatch.region = ""; });
    refused("log_group", cloud, [&](Log& c) { c.cloudwatch.log_group = much.c_str(); });
    refused("log_group", cloud, [](Log& c) { c.cloudwatch.log_group = "aws/x"; });
    refused("thing_name", cloud, [](Log& c) { c.cloudwatch.thing_name = "a b"; });
    refused("log_stream", cloud, [](Log& c) { c.cloudwatch.thing_name = "a:b"; });
    refused("role_alias", cloud, [](Log& c) { c.cloudwatch.role_alias = "a/b"; });
    refused("device_cert_pem", cloud, [](Log& c) { c.cloudwatch.device_key_pem = nullptr; });
    refused("metrics_namespace", cloud, [](Log& c) { c.cloudwatch.metrics_namespace = "a\"b"; });
    EXPECT_EQ(ota_manager_set_log(&cloud), ESP_OK);
}

}  // namespace
