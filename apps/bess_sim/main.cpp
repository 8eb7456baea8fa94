// The firmware of the twin: what an application on the ESP32-P4 does, in Linux clothes. It runs out
// of the flash that it updates.
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "../twin_abi.hpp"
#include "arguments.hpp"
#include "base/fixed.hpp"
#include "control.hpp"
#include "device_keys.hpp"
#include "https_settings.hpp"
#include "identity.hpp"
#include "linux/compose.hpp"
#include "linux/console_output.hpp"
#include "ota_manager.h"
#include "variant.hpp"

namespace {

constexpr int kHeartbeatMs = 50;

// The engine asks; the main loop leaves through main(), so that sanitizers report and coverage is
// written.
class FlaggedRestart final : public ota::Restart {
  public:
    void restart() override { requested_ = true; }
    bool requested() const { return requested_; }

  private:
    std::atomic<bool> requested_{false};
};

// Counts flash operations on the wires; loses power for real; takes the device's time if asked to.
class WiredFlash final : public ota::FlashObserver {
  public:
    explicit WiredFlash(twin::Wires& wires) : wires_(wires) {}
    void on_operation(const ota::FlashOperation& operation) override {
        ++wires_.operations;
        if (wires_.flash_timing != 0) usleep(operation.micros);
    }
    void on_power_lost() override {
        ++wires_.operations;
        wires_.power_lost = 1;
        (void)kill(getpid(), SIGKILL);
    }

  private:
    twin::Wires& wires_;
};

// The live progress line of a terminal; elsewhere the manager's console log has one line a tenth.
class Progress {
  public:
    void update(size_t received, size_t total) {
        if (isatty(STDOUT_FILENO) == 0 || total == 0) return;
        const double now = seconds();
        if (received == 0 || received < last_ || start_ == 0) {
            start_ = now;
            first_ = received;
        }
        last_ = received;
        const double rate =
            now > start_ ? static_cast<double>(received - first_) / (now - start_) : 0;
        const double left = rate > 0 ? static_cast<double>(total - received) / rate : 0;
        std::printf("\r  %3zu %%  %5zu of %zu KiB  %6.0f KiB/s  %3.0f s left%s",
                    received * 100 / total, received / 1024, total / 1024, rate / 1024, left,
                    received == total ? "\n" : "");
        std::fflush(stdout);
    }

  private:
    static double seconds() {
        timespec time{};
        clock_gettime(CLOCK_MONOTONIC, &time);
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
    }
    double start_ = 0;
    size_t first_ = 0;
    size_t last_ = 0;
};

void* map_inherited(const char* variable, size_t& size) {
    const char* text = std::getenv(variable);
    if (text == nullptr) return nullptr;
    const int fd = static_cast<int>(std::strtol(text, nullptr, 10));
    struct stat info {};
    if (fstat(fd, &info) != 0) return nullptr;
    size = static_cast<size_t>(info.st_size);
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return memory == MAP_FAILED ? nullptr : memory;
}

struct Firmware {
    explicit Firmware(twin::Wires& wires)
        : wired_flash(wires), control(battery), identity(wires.heartbeat) {}

    FlaggedRestart restart;
    ota::ConsoleOutput console;
    WiredFlash wired_flash;
    ota::BatteryModel battery;
    Control control;
    Progress progress;
    Arguments arguments;
    std::array<char, 8192> key{};
    std::array<char, 2048> access_keys{};
    HttpsSettings https;
    Identity identity;
    timespec started{};
};

unsigned milliseconds_since(const timespec& start) {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<unsigned>((now.tv_sec - start.tv_sec) * 1000 +
                                 (now.tv_nsec - start.tv_nsec) / 1000000);
}

void connect_flash(Firmware& firmware, twin::Wires& wires, uint8_t* flash, size_t size) {
    ota::TwinSetup setup;
    setup.flash = {flash, size};
    setup.running = static_cast<ota::SlotId>(wires.slot.load());
    setup.reset = static_cast<ota::ResetReason>(wires.reset.load());
    setup.sd_directory = firmware.arguments.sd;
    setup.usb_directory = firmware.arguments.usb;
    setup.flash_observer = &firmware.wired_flash;
    setup.restart = &firmware.restart;
    setup.time_scale = std::max<uint32_t>(firmware.arguments.time_scale, 1);
    if (firmware.arguments.clock_unset) setup.clock_offset = -time(nullptr);
    setup.console = &firmware.console;
    setup.console_progress = isatty(STDOUT_FILENO) == 0;
    if (wires.cut_at > wires.operations) setup.cut_at = wires.cut_at - wires.operations;
    setup.cut_kind = static_cast<ota::CutKind>(wires.cut_kind.load());
    setup.cut_seed = wires.cut_seed;
    ota::set_twin(setup);
}

struct SourceChoice {
    ota_source_t source = OTA_SOURCE_SD_CARD;
    ota_source_config_t config{};
};
using SourceChoices = ota::FixedVector<SourceChoice, 6>;

// In the order in which they are asked. Without any: the card's slot, empty.
SourceChoices source_choices(const Firmware& firmware) {
    const Arguments& arguments = firmware.arguments;
    SourceChoices choices;
    SourceChoice choice;
    if (arguments.url != nullptr) {
        choice.source = OTA_SOURCE_HTTPS;
        choice.config.https = firmware.https.config();
        (void)choices.push_back(choice);
    }
    if (arguments.aws != nullptr) {
        choice.source = OTA_SOURCE_AWS_IOT;
        choice.config.aws_iot = firmware.https.aws_iot();
        (void)choices.push_back(choice);
    }
    const bool has_modbus = arguments.modbus_port != 0 || arguments.modbus_line != nullptr;
    if (has_modbus) {
        choice.source = OTA_SOURCE_MODBUS;
        choice.config.modbus = {};
        choice.config.modbus.unit_id = static_cast<uint8_t>(arguments.modbus_unit);
        choice.config.modbus.tcp_port = static_cast<uint16_t>(arguments.modbus_port);
        choice.config.modbus.serial_device = arguments.modbus_line;
        choice.config.modbus.baud_rate = arguments.modbus_baud;
        choice.config.modbus.serial_format =
            static_cast<ota_serial_format_t>(arguments.modbus_format);
        (void)choices.push_back(choice);
    }
    if (arguments.can != nullptr) {
        choice.source = OTA_SOURCE_CANBUS;
        choice.config.canbus = {};
        choice.config.canbus.interface = arguments.can;
        choice.config.canbus.fd = arguments.can_fd;
        choice.config.canbus.request_id = arguments.can_request;
        choice.config.canbus.response_id = arguments.can_response;
        choice.config.canbus.bus_load = static_cast<uint8_t>(arguments.can_load);
        choice.config.canbus.block_size = static_cast<uint8_t>(arguments.can_block);
        (void)choices.push_back(choice);
    }
    const bool has_other = arguments.aws != nullptr || has_modbus || arguments.can != nullptr ||
                           arguments.url != nullptr || arguments.usb != nullptr;
    if (arguments.sd != nullptr || !has_other) {
        choice.source = OTA_SOURCE_SD_CARD;
        choice.config.sd_card.filepath = arguments.sd_path;
        (void)choices.push_back(choice);
    }
    if (arguments.usb != nullptr) {
        choice.source = OTA_SOURCE_USB_DRIVE;
        choice.config.usb_drive.filepath = arguments.usb_path;
        (void)choices.push_back(choice);
    }
    return choices;
}

ota_manager_config_t make_config(Firmware& firmware) {
    const Arguments& arguments = firmware.arguments;
    ota_manager_config_t config{};
    const SourceChoice first = source_choices(firmware)[0];
    config.source = first.source;
    config.config = first.config;
    config.check_interval_ms = arguments.check_ms;
    config.automatic_update = arguments.automatic ? 1 : 0;
    config.public_key_pem = firmware.key.data();
    config.rollback_timeout_ms = arguments.rollback_ms;
    config.suit_vendor_id = arguments.vendor;
    config.suit_class_id = arguments.class_id;
    config.suit_device_id = arguments.device;
    config.suit_module_class_id = arguments.module_class;
    config.serial_number = arguments.serial_number;
    config.signatures_required = static_cast<uint8_t>(arguments.signatures);
    config.revoked_keys_sha256 = arguments.revoked;
    config.settings_packages = arguments.settings_packages ? 1 : 0;
    config.progress_cb = [](size_t received, size_t total, void* user) {
        static_cast<Progress*>(user)->update(received, total);
    };
    config.progress_cb_data = &firmware.progress;
    return config;
}

// True without any.
bool add_modules(const Arguments& arguments) {
    if (arguments.modules_can == nullptr) return true;
    ota_modules_config_t config{};
    config.count = static_cast<uint8_t>(arguments.modules);
    config.hardware = arguments.modules_hardware;
    config.quorum = static_cast<uint8_t>(arguments.modules_quorum);
    config.stop_on_failure = arguments.modules_go_on ? OTA_OFF : 0;
    config.interface = arguments.modules_can;
    config.bus_load = static_cast<uint8_t>(arguments.can_load);
    config.fd = arguments.can_fd;
    if (arguments.modules_key != nullptr) {
        config.access_hmac_key_id = load_module_key(arguments.modules_key);
    }
    return ota_manager_set_modules(&config) == ESP_OK;
}

// True without any.
bool set_log(const Firmware& firmware) {
    const Arguments& arguments = firmware.arguments;
    if (arguments.log == nullptr && arguments.cloudwatch == nullptr) return true;
    ota_log_config_t config{};
    config.sd_card.directory = arguments.log;
    config.sd_card.level = static_cast<ota_log_level_t>(arguments.log_level);
    config.sd_card.max_file_size = arguments.log_size;
    config.sd_card.max_files = static_cast<uint16_t>(arguments.log_files);
    if (arguments.cloudwatch != nullptr) config.cloudwatch = firmware.https.cloudwatch();
    return ota_manager_set_log(&config) == ESP_OK;
}

// True without fleet provisioning.
bool get_identity(Firmware& firmware) {
    if (firmware.arguments.provision == nullptr) return true;
    if (!firmware.identity.get(firmware.arguments, firmware.https.aws_iot())) return false;
    firmware.https.use(firmware.identity.value());
    return true;
}

bool start_manager(Firmware& firmware) {
    if (!get_identity(firmware)) return false;
    ota_manager_config_t config = make_config(firmware);
    if (!load_device_keys(firmware.arguments, config)) return false;
    if (firmware.access_keys[0] != '\0') config.access_keys_pem = firmware.access_keys.data();
    if (ota_manager_init(&config) != ESP_OK) {
        std::fprintf(stderr, "firmware: configuration: %s\n", ota_manager_config_error());
        return false;
    }
    const SourceChoices choices = source_choices(firmware);
    for (size_t i = 1; i < choices.size(); ++i) {
        if (ota_manager_add_source(choices[i].source, &choices[i].config) == ESP_OK) continue;
        std::fprintf(stderr, "firmware: configuration: %s\n", ota_manager_config_error());
        return false;
    }
    if (!add_modules(firmware.arguments) || !set_log(firmware)) {
        std::fprintf(stderr, "firmware: configuration: %s\n", ota_manager_config_error());
        return false;
    }
    (void)ota_manager_set_battery_provider(
        [](ota_battery_reading_t* reading, void* user) {
            return static_cast<ota::BatteryModel*>(user)->read(*reading);
        },
        &firmware.battery);
    (void)ota_manager_add_health_probe(
        "plant",
        [](void* user) {
            return kVariant.health(milliseconds_since(static_cast<Firmware*>(user)->started));
        },
        &firmware);
    return ota_manager_start() == ESP_OK;
}

// The application's main loop: heartbeat, battery, service connector.
int run(Firmware& firmware, twin::Wires& wires) {
    do {
        ++wires.heartbeat;
        if (firmware.arguments.battery != nullptr)
            firmware.battery.reload(firmware.arguments.battery);
    } while (firmware.control.serve(kHeartbeatMs) && !firmware.restart.requested());
    (void)ota_manager_stop();
    (void)ota_manager_deinit();
    return firmware.restart.requested() ? twin::kExitRestart : twin::kExitPowerDown;
}

}  // namespace

int main(int argc, char** argv) {
    size_t flash_size = 0;
    size_t wires_size = 0;
    auto* flash = static_cast<uint8_t*>(map_inherited(twin::kFlashFdVariable, flash_size));
    auto* wires = static_cast<twin::Wires*>(map_inherited(twin::kWiresFdVariable, wires_size));
    if (flash == nullptr || wires == nullptr) {
        std::fprintf(stderr,
                     "This firmware runs out of the twin's flash: start it with bess_boot.\n");
        return 2;
    }
    Firmware firmware(*wires);
    clock_gettime(CLOCK_MONOTONIC, &firmware.started);
    if (!parse_arguments(argc, argv, firmware.arguments)) return twin::kExitSettings;
    kVariant.at_start();
    if (firmware.arguments.key_path != nullptr &&
        !read_text_file(firmware.arguments.key_path, firmware.key)) {
        return twin::kExitSettings;
    }
    if (firmware.arguments.access_keys != nullptr &&
        !read_text_file(firmware.arguments.access_keys, firmware.access_keys)) {
        return twin::kExitSettings;
    }
    if (!firmware.https.load(firmware.arguments)) return twin::kExitSettings;
    if (firmware.arguments.control != nullptr &&
        !firmware.control.open(firmware.arguments.control)) {
        std::fprintf(stderr, "firmware: can't open %s\n", firmware.arguments.control);
        return twin::kExitSettings;
    }
    connect_flash(firmware, *wires, flash, flash_size);
    if (!start_manager(firmware)) return twin::kExitSettings;
    std::printf("firmware: %s, slot ota_%u\n", kVariant.name, wires->slot.load());
    std::fflush(stdout);
    return run(firmware, *wires);
}
