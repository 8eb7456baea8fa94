// The one file that names all adapters of the twin.
#include "linux/compose.hpp"

#include <poll.h>

#include <optional>

#include "api/platform.hpp"
#include "boot/otadata.hpp"
#include "linux/can_any.hpp"
#include "linux/clock_real.hpp"
#include "linux/http_curl.hpp"
#include "linux/mqtt_mosquitto.hpp"
#include "linux/partition_table.hpp"
#include "linux/serial_tty.hpp"
#include "linux/threads.hpp"
#include "ports/flash_region.hpp"
#include "posix/directory_store.hpp"
#include "posix/log_directory.hpp"
#include "posix/tcp_server.hpp"
#include "sources/can/slcan_bus.hpp"
#include "verify/slot_check.hpp"

namespace ota {
namespace {

constexpr Status missing(Detail detail) {
    return {Code::kStorage, Origin::kPlatform, detail};
}

// ESP32-P4 silicon v1.0, as the twin's boot ROM reports it too.
constexpr uint16_t kChipRevision = 100;

class SlotBootability final : public SlotInspector {
  public:
    SlotBootability(Flash& flash, const PartitionTable& table) : flash_(flash), table_(table) {}
    bool is_bootable(SlotId slot) override {
        const Partition* partition = table_.slot(slot);
        if (partition == nullptr) return false;
        FlashRegion region(flash_, partition->offset, partition->size);
        return slot_holds_image(region);
    }

  private:
    Flash& flash_;
    const PartitionTable& table_;
};

// Adapters and pseudo terminals hand bytes over in pieces, and a task may sleep a little longer.
constexpr uint32_t kLeastSilence = 5000;  // µs

class PollRest final : public LinkRest {
  public:
    PollRest(const TcpServer& tcp, const TtyPort& line, const AnyCan& can)
        : tcp_(tcp), line_(line), can_(can) {}
    void rest(Millis longest) override {
        const auto tcp = tcp_.descriptors();
        std::array<pollfd, tcp.size() + 2> all{};
        for (size_t i = 0; i < tcp.size(); ++i) all[i].fd = tcp[i];
        pollfd& line = all[tcp.size()];
        line.fd = line_.descriptor();
        all.back().fd = can_.descriptor();
        for (pollfd& one : all) one.events = POLLIN;
        const int longest_ms = static_cast<int>(longest);
        (void)::poll(all.data(), all.size(), longest_ms);
        // A line whose other side is closed says so at once, again and again.
        if (((line.revents | all.back().revents) & POLLHUP) != 0)
            (void)::poll(nullptr, 0, longest_ms);
    }

  private:
    const TcpServer& tcp_;
    const TtyPort& line_;
    const AnyCan& can_;
};

struct Twin {
    explicit Twin(const TwinSetup& setup)
        : flash(setup.flash),
          inspector(flash, table),
          restart(*setup.restart),
          clock(setup.time_scale, setup.clock_offset),
          mailbox(setup.time_scale),
          modbus_tcp(clock, setup.bus_address),
          mqtt(setup.time_scale) {
        flash.set_observer(setup.flash_observer);
        flash.cut_at(setup.cut_at, setup.cut_kind, setup.cut_seed);
        if (setup.sd_directory != nullptr) {
            sd_card.emplace("/sdcard", setup.sd_directory);
            sd_log.emplace("/sdcard", setup.sd_directory);
            sd_spool.emplace("/sdcard", setup.sd_directory);
        }
        if (setup.usb_directory != nullptr) usb_drive.emplace("/usb", setup.usb_directory);
    }

    Status open(const TwinSetup& setup);
    // A partition that a device may do without.
    Flash* find_optional(const char* label, FlashRegion& region) {
        const Partition* partition = table.find(label);
        if (partition == nullptr) return nullptr;
        region = FlashRegion(flash, partition->offset, partition->size);
        return &region;
    }

    FlashModel flash;
    PartitionTable table;
    SlotBootability inspector;
    Restart& restart;
    FlashRegion running;
    FlashRegion standby;
    FlashRegion journal;
    FlashRegion otadata;
    FlashRegion config;
    FlashRegion stage;
    std::optional<OtadataBootControl> boot;
    RealClock clock;
    ThreadMailbox mailbox;
    ThreadStatusSignal signal;
    TaskThread task;
    TaskThread link_task;
    TcpServer modbus_tcp;
    TtyPort modbus_line;
    TtyPort can_line;
    SlcanBus slcan{can_line};
    AnyCan can{slcan, can_line};
    PollRest rest{modbus_tcp, modbus_line, can};
    CurlHttpClient http;
    MosquittoClient mqtt;
    std::optional<DirectoryStore> sd_card;
    std::optional<DirectoryStore> usb_drive;
    std::optional<LogDirectory> sd_log;
    std::optional<LogDirectory> sd_spool;
    TaskThread log_task;
    CurlHttpClient log_http;
    std::optional<Platform> platform;
};

Status Twin::open(const TwinSetup& setup) {
    std::array<uint8_t, layout::kPartitionTableSize> bytes;
    OTA_TRY(flash.read(layout::kPartitionTableOffset, bytes));
    OTA_TRY(table.parse(bytes, flash.geometry().size));
    const Partition* data = table.find(layout::kTypeData, layout::kSubtypeOtadata);
    const Partition* records = table.find(layout::kJournalLabel);
    const Partition* own = table.slot(setup.running);
    if (data == nullptr || own == nullptr || table.slot_count() < 2) {
        return missing(Detail::kPartitionMissing);
    }
    if (records == nullptr) return missing(Detail::kJournalAbsent);

    otadata = FlashRegion(flash, data->offset, data->size);
    journal = FlashRegion(flash, records->offset, records->size);
    running = FlashRegion(flash, own->offset, own->size);
    flash.protect(own->offset, own->size);
    boot.emplace(otadata, inspector,
                 OtadataBootControl::Setup{setup.running, table.slot_count(),
                                           table.slot(kFactorySlot) != nullptr, setup.reset});
    BootStatus status;
    OTA_TRY(boot->status(status));
    const Partition* next = table.slot(status.standby);
    standby = FlashRegion(flash, next->offset, next->size);
    Flash* const own_config = find_optional(layout::kConfigLabel, config);
    Flash* const own_stage = find_optional(layout::kStageLabel, stage);
    platform.emplace(Platform{.running = running,
                              .standby = standby,
                              .journal = journal,
                              .boot = *boot,
                              .clock = clock,
                              .restart = restart,
                              .mailbox = mailbox,
                              .signal = signal,
                              .task = task,
                              .http = &http,
                              .sd_card = sd_card ? &*sd_card : nullptr,
                              .usb_drive = usb_drive ? &*usb_drive : nullptr,
                              .console = setup.console,
                              .events = nullptr,
                              .erase_policy = ErasePolicy::kBlockAhead,
                              .chip_id = layout::kChipEsp32P4,
                              .chip_revision = kChipRevision,
                              .config = own_config,
                              .stage = own_stage,
                              .modules = nullptr,
                              .buses = {.task = &link_task,
                                        .rest = &rest,
                                        .modbus_tcp = &modbus_tcp,
                                        .modbus_line = &modbus_line,
                                        .can = &can,
                                        .least_silence = kLeastSilence},
                              .mqtt = &mqtt,
                              .logs = {.task = &log_task,
                                       .sd_card = sd_log ? &*sd_log : nullptr,
                                       .spool = sd_spool ? &*sd_spool : nullptr,
                                       .http = &log_http},
                              .console_progress = setup.console_progress});
    return {};
}

TwinSetup next_setup;
std::optional<Twin> twin;

}  // namespace

void set_twin(const TwinSetup& setup) {
    next_setup = setup;
    note_new_boot();
}

const Platform* open_platform(Status& why) {
    twin.emplace(next_setup);
    why = twin->open(next_setup);
    if (!why.ok()) {
        twin.reset();
        return nullptr;
    }
    return &*twin->platform;
}

void close_platform() {
    twin.reset();
}

}  // namespace ota
