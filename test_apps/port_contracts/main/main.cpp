// The ports' contracts over ESP-IDF's own code, as far as its linux target has it: esp_partition,
// FreeRTOS, esp_event, esp_http_client. The checks are those of the host's tests (tests/contracts).
#include <esp_event.h>
#include <esp_ota_ops.h>
#include <esp_private/partition_linux.h>
#include <esp_timer.h>
#include <freertos/FreeRTOS.h>
#include <freertos/task.h>
#include <psa/crypto.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "boot/otadata.hpp"
#include "contracts/file_store.hpp"
#include "contracts/flash.hpp"
#include "contracts/http_client.hpp"
#include "contracts/mailbox.hpp"
#include "contracts/mqtt_client.hpp"
#include "esp_idf/esp_events.hpp"
#include "esp_idf/esp_http.hpp"
#include "esp_idf/esp_mqtt.hpp"
#include "esp_idf/partition_flash.hpp"
#include "esp_idf/rtos.hpp"
#include "ota_manager_event.h"
#include "plain_server.hpp"
#include "posix/directory_store.hpp"

const esp_partition_t* esp_ota_get_running_partition(void) {
    return esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_0,
                                    nullptr);
}

// The linux target has the declarations of esp_timer alone; esp-mqtt asks it for the time.
[[gnu::weak]] int64_t esp_timer_get_time() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

namespace ota {
namespace {

const esp_partition_t& partition(const char* label) {
    return *esp_partition_find_first(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, label);
}

TEST(FlashContract, EspPartition) {
    PartitionFlash flash(partition("scratch"));
    contract::check_flash(flash);
}

TEST(FlashContract, RunningSlotIsNeverWritten) {
    PartitionFlash running(partition("ota_0"));
    const std::array<uint8_t, 16> bytes{};
    EXPECT_EQ(running.program(0, bytes).detail(), Detail::kRunningSlot);
    EXPECT_EQ(running.erase(0, 0x1000).detail(), Detail::kRunningSlot);
}

struct EveryImageBoots final : SlotInspector {
    bool is_bootable(SlotId) override { return true; }
};

// What is armed, confirmed or taken back is either done or not, wherever the power goes, and can be
// done again.
TEST(BootControlContract, EveryPowerLossOnEspPartition) {
    PartitionFlash flash(partition("otadata"));
    EveryImageBoots inspector;
    const OtadataBootControl::Setup setup{0, 2, false, ResetReason::kPowerOn};
    const auto boot_slot = [&] {
        BootStatus now;
        return OtadataBootControl(flash, inspector, setup).status(now).ok() ? now.boot : kNoSlot;
    };
    uint32_t cuts = 0;
    for (size_t budget = 1;; ++budget) {
        ASSERT_TRUE(flash.erase(0, flash.geometry().size).ok());
        OtadataBootControl boot(flash, inspector, setup);
        ASSERT_TRUE(boot.settle(true).ok());  // slot 0 is confirmed
        esp_partition_fail_after(budget, ESP_PARTITION_FAIL_AFTER_MODE_BOTH);
        const bool armed = boot.arm_trial(1).ok();
        esp_partition_fail_after(SIZE_MAX, ESP_PARTITION_FAIL_AFTER_MODE_BOTH);
        EXPECT_TRUE(boot_slot() == (armed ? 1 : 0) || (!armed && boot_slot() == 1));
        EXPECT_TRUE(OtadataBootControl(flash, inspector, setup).arm_trial(1).ok());
        EXPECT_EQ(boot_slot(), 1);
        if (armed) break;
        ++cuts;
    }
    EXPECT_GT(cuts, 8U);
    std::printf("power losses while arming: %u\n", static_cast<unsigned>(cuts));
}

TEST(MailboxContract, FreeRtosQueue) {
    QueueMailbox mailbox;
    contract::check_mailbox(mailbox);
}

struct Meeting {
    EventGroupSignal signal;
    PinnedTask task;
    bool in_task = false;
};

TEST(Rtos, TaskIsSeenToEnterAStateAndIsJoined) {
    static Meeting meeting;
    const auto work = [](void*) {
        meeting.in_task = meeting.task.is_current();
        vTaskDelay(pdMS_TO_TICKS(50));
        meeting.signal.entered(State::kVerifying);
        meeting.signal.entered(State::kIdle);  // the short state is not missed
    };
    ASSERT_TRUE(meeting.task.start({5, 8192, 0}, work, nullptr).ok());
    State hit = State::kIdle;
    const uint32_t mask = uint32_t{1} << static_cast<uint32_t>(State::kVerifying);
    EXPECT_EQ(meeting.signal.wait(mask, 2000, hit), StatusSignal::Outcome::kHit);
    EXPECT_EQ(hit, State::kVerifying);
    meeting.task.join();
    EXPECT_TRUE(meeting.in_task);
    EXPECT_FALSE(meeting.task.is_current());
    EXPECT_EQ(meeting.signal.wait(mask, 50, hit), StatusSignal::Outcome::kTimeout);
}

TEST(HttpClientContract, EspHttpClient) {
    PlainServer server;
    EspHttpClient client;
    contract::check_http_client(client, server, server.url().c_str(), {});
}

TEST(FileStoreContract, Directory) {
    char name[] = "/tmp/bess-contract-XXXXXX";
    ASSERT_TRUE(mkdtemp(name) != nullptr);
    DirectoryStore store("/sdcard", name);
    ASSERT_TRUE(store.replace("/sdcard/bess.bin", as_bytes("0123456789")).ok());
    contract::check_file_store(store);
}

std::string text_of(const char* variable) {
    const char* const file = std::getenv(variable);
    std::ifstream in(file == nullptr ? "" : file);
    return {std::istreambuf_iterator<char>(in), {}};
}

// Against a broker on this machine that takes a client certificate: see README.md.
TEST(MqttClientContract, EspMqtt) {
    const char* const port = std::getenv("MQTT_PORT");
    if (port == nullptr) {
        std::printf("skipped: no MQTT_PORT, no broker for MqttClientContract.EspMqtt\n");
        return;
    }
    const std::string ca = text_of("MQTT_CA");
    const std::string certificate = text_of("MQTT_CERTIFICATE");
    const std::string key = text_of("MQTT_KEY");
    MqttConfig config;
    config.host = "localhost";
    config.port = static_cast<uint16_t>(std::atoi(port));
    config.client_id = "contract";
    config.tls.ca_pem = ca.c_str();
    config.tls.client_cert_pem = certificate.c_str();
    config.tls.client_key_pem = key.c_str();
    static EspMqttClient client;
    contract::check_mqtt_client(client, config);
    config.port = 1;
    contract::check_nobody_there(client, config);
}

ota_manager_event_status_t seen;

TEST(Events, ArriveInTheDefaultLoop) {
    const auto note = [](void*, esp_event_base_t, int32_t, void* data) {
        seen = *static_cast<ota_manager_event_status_t*>(data);
    };
    ASSERT_EQ(
        esp_event_handler_register(OTA_MANAGER_EVENT, OTA_MANAGER_EVENT_STATUS, note, nullptr),
        ESP_OK);
    esp_events::post_status(OTA_STATUS_FAILED, OTA_ERR_SERVER, nullptr);
    vTaskDelay(pdMS_TO_TICKS(100));
    EXPECT_EQ(seen.status, OTA_STATUS_FAILED);
    EXPECT_EQ(seen.error, OTA_ERR_SERVER);
}

}  // namespace
}  // namespace ota

extern "C" void app_main(void) {
    // As the manager does when it begins: mbedTLS 4 reads no key before.
    if (esp_event_loop_create_default() != ESP_OK || psa_crypto_init() != PSA_SUCCESS) std::abort();
    std::exit(small_harness::run_all());
}
