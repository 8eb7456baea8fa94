// What the twin's firmware hands to the composition before ota_manager_init().
#pragma once

#include "linux/flash_model.hpp"
#include "ports/boot_control.hpp"
#include "ports/log.hpp"
#include "ports/restart.hpp"

namespace ota {

struct TwinSetup {
    MutableBytes flash;        // the whole chip; outlives the manager
    SlotId running = kNoSlot;  // the slot that the bootloader started
    ResetReason reset = ResetReason::kPowerOn;
    const char* sd_directory = nullptr;     // stands for /sdcard; null: no slot for a card
    const char* usb_directory = nullptr;    // stands for /usb
    const char* bus_address = "127.0.0.1";  // where field buses over IP listen
    FlashObserver* flash_observer = nullptr;
    Restart* restart = nullptr;    // not null
    uint32_t time_scale = 1;       // the manager's time passes so many times faster
    int64_t clock_offset = 0;      // s; moves the time of day
    LogSink* console = nullptr;    // null: silent
    bool console_progress = true;  // a line each tenth; false: something else shows it
    uint64_t cut_at = 0;           // power is lost at this flash operation; 0 = never
    CutKind cut_kind = CutKind::kClean;
    uint32_t cut_seed = 0;
};

void set_twin(const TwinSetup& setup);

}  // namespace ota
