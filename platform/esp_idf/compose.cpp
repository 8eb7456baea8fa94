// The one file that names all adapters of ESP-IDF.
#include <esp_chip_info.h>
#include <esp_ota_ops.h>

#include <array>
#include <optional>

#include "api/callbacks.hpp"
#include "api/platform.hpp"
#include "boot/otadata.hpp"
#include "esp_idf/esp_boot.hpp"
#include "esp_idf/esp_clock.hpp"
#include "esp_idf/esp_events.hpp"
#include "esp_idf/esp_http.hpp"
#include "esp_idf/esp_log_output.hpp"
#include "esp_idf/esp_mqtt.hpp"
#include "esp_idf/esp_rest.hpp"
#include "esp_idf/esp_restart.hpp"
#include "esp_idf/esp_twai.hpp"
#include "esp_idf/esp_uart.hpp"
#include "esp_idf/partition_flash.hpp"
#include "esp_idf/rtos.hpp"
#include "posix/directory_store.hpp"
#include "posix/log_directory.hpp"
#include "posix/tcp_server.hpp"

namespace ota {
namespace {

constexpr Status missing(Detail detail) {
    return {Code::kStorage, Origin::kPlatform, detail};
}

const esp_partition_t* find_data(const char* label) {
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, label);
}

// Where the application mounts them.
constexpr char kSdCard[] = OTA_MANAGER_SD_MOUNT_POINT;
constexpr char kUsbDrive[] = OTA_MANAGER_USB_MOUNT_POINT;

// A part that a build may not have: then there is neither room for it nor code.
template <typename T, bool kPresent>
using Part = std::array<std::optional<T>, kPresent ? 1 : 0>;

template <typename T, size_t kCount>
T* address_of(std::array<std::optional<T>, kCount>& part) {
    if constexpr (kCount == 0) {
        return nullptr;
    } else {
        return part[0] ? &*part[0] : nullptr;
    }
}

uint16_t chip_revision() {
    esp_chip_info_t info{};
    esp_chip_info(&info);
    return info.revision;  // major * 100 + minor
}

// The lines of the field buses, and the task in which they are served.
struct Buses {
    explicit Buses(Clock& clock) : tcp(clock, "0.0.0.0") {
        for (auto& part : twai) part.emplace(clock);
        rest.emplace(tcp, address_of(twai));
    }
    PinnedTask task;
    TcpServer tcp;
    EspUart uart;
    Part<EspTwai, build::kCanbus || build::kModules> twai;
    std::optional<EspRest> rest;
};

// Everything between init and deinit, in one static place.
struct Chip {
    Status open();
    void open_parts();
    void open_events() {
        ota_manager_config_t callbacks{};
        callbacks.event_cb = esp_events::post_status;
        callbacks.progress_cb = esp_events::post_progress;
        for (auto& sink : events) {
            sink.emplace(callbacks).set_notice(esp_events::post_notice, nullptr);
        }
    }
    FieldBuses open_buses() {
        FieldBuses out;
        for (auto& part : buses) {
            out.task = &part->task;
            out.rest = &*part->rest;
            if (build::kModbus) {
                out.modbus_tcp = &part->tcp;
                out.modbus_line = &part->uart;
            }
            out.can = address_of(part->twai);
        }
        return out;
    }
    // A partition that a device may do without.
    static Flash* open_optional(const char* label, PartitionFlash& flash) {
        const esp_partition_t* partition = find_data(label);
        if (partition == nullptr) return nullptr;
        flash = PartitionFlash(*partition);
        return &flash;
    }

    PartitionFlash running;
    PartitionFlash standby;
    PartitionFlash journal;
    PartitionFlash otadata;
    PartitionFlash config;
    PartitionFlash stage;
    EspSlotInspector inspector;
    OtadataBootControl entries{otadata, inspector, boot_setup()};
    EspBootControl boot{entries};
    EspClock clock;
    EspRestart restart;
    QueueMailbox mailbox;
    EventGroupSignal signal;
    PinnedTask task;
    Part<EspHttpClient, build::kHttps> http;
    Part<EspMqttClient, build::kAwsIot> mqtt;
    EspLogOutput output;
    Part<LogDirectory, build::kSdLog> sd_log;
    Part<LogDirectory, build::kLogSpool> sd_spool;
    Part<PinnedTask, build::kLogTask> log_task;
    Part<EspHttpClient, build::kCloudWatch> log_http;
    Part<CallbackSink, OTA_MANAGER_EVENTS> events;
    Part<DirectoryStore, build::kSdCard> sd_card;
    Part<DirectoryStore, build::kUsbDrive> usb_drive;
    Part<Buses, build::kLinks> buses;
    std::optional<Platform> platform;
};

void Chip::open_parts() {
    for (auto& part : http) part.emplace();
    for (auto& part : mqtt) part.emplace();
    for (auto& part : sd_log) part.emplace(kSdCard, kSdCard);
    for (auto& part : sd_spool) part.emplace(kSdCard, kSdCard);
    for (auto& part : log_task) part.emplace();
    for (auto& part : log_http) part.emplace();
    open_events();
    for (auto& part : sd_card) part.emplace(kSdCard, kSdCard);
    for (auto& part : buses) part.emplace(clock);
    for (auto& part : usb_drive) part.emplace(kUsbDrive, kUsbDrive);
}

Status Chip::open() {
    const esp_partition_t* own = esp_ota_get_running_partition();
    const esp_partition_t* data =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, nullptr);
    const esp_partition_t* records = find_data(layout::kJournalLabel);
    // Of a table with a gap ESP-IDF counts the slots before it alone.
    const bool two_slots = esp_ota_get_app_partition_count() >= 2;
    if (own == nullptr || data == nullptr || !two_slots) {
        return missing(Detail::kPartitionMissing);
    }
    if (records == nullptr) return missing(Detail::kJournalAbsent);
    running = PartitionFlash(*own);
    otadata = PartitionFlash(*data);
    journal = PartitionFlash(*records);
    BootStatus status;
    OTA_TRY(boot.status(status));
    const esp_partition_t* slot = esp_partition_find_first(
        ESP_PARTITION_TYPE_APP,
        static_cast<esp_partition_subtype_t>(ESP_PARTITION_SUBTYPE_APP_OTA_MIN + status.standby),
        nullptr);
    if (slot == nullptr) return missing(Detail::kPartitionMissing);
    standby = PartitionFlash(*slot);
    Flash* const own_config = open_optional(layout::kConfigLabel, config);
    Flash* const own_stage = open_optional(layout::kStageLabel, stage);
    open_parts();
    platform.emplace(Platform{.running = running,
                              .standby = standby,
                              .journal = journal,
                              .boot = boot,
                              .clock = clock,
                              .restart = restart,
                              .mailbox = mailbox,
                              .signal = signal,
                              .task = task,
                              .http = address_of(http),
                              .sd_card = address_of(sd_card),
                              .usb_drive = address_of(usb_drive),
                              .console = build::kConsoleLog ? &output : nullptr,
                              .events = address_of(events),
                              .erase_policy = ErasePolicy::OTA_MANAGER_ERASE_POLICY,
                              .chip_id = layout::kChipEsp32P4,
                              .chip_revision = chip_revision(),
                              .config = own_config,
                              .stage = own_stage,
                              .modules = nullptr,
                              .buses = open_buses(),
                              .mqtt = address_of(mqtt),
                              .logs = {.task = address_of(log_task),
                                       .sd_card = address_of(sd_log),
                                       .spool = address_of(sd_spool),
                                       .http = address_of(log_http)}});
    return {};
}

std::optional<Chip> chip;

}  // namespace

const Platform* open_platform(Status& why) {
    chip.emplace();
    why = chip->open();
    if (!why.ok()) {
        chip.reset();
        return nullptr;
    }
    return &*chip->platform;
}

void close_platform() {
    chip.reset();
}

}  // namespace ota
