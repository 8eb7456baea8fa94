// What the twin's chip (bess_boot) and its firmware (bess_sim) share at run time: the file
// descriptors in the environment and one page of memory that stands for wires and reset registers.
#pragma once

#include <atomic>
#include <cstdint>

namespace twin {

inline constexpr const char* kFlashFdVariable = "BESS_FLASH_FD";
inline constexpr const char* kWiresFdVariable = "BESS_WIRES_FD";

inline constexpr int kExitRestart = 64;    // esp_restart()
inline constexpr int kExitPowerDown = 65;  // the operator switched the twin off
inline constexpr int kExitSettings = 66;   // its arguments make no sense; a reset would not help

enum class Reset : uint32_t { kPowerOn, kSoftware, kPanic, kWatchdog, kBrownout };

struct Wires {
    std::atomic<uint64_t> operations;  // flash operations since the power came on, both programs
    std::atomic<uint64_t> cut_at;      // power is lost in this operation; 0 = never
    std::atomic<uint32_t> cut_kind;    // 0 clean, 1 torn bytes, 2 torn bits, 3 half erased
    std::atomic<uint32_t> cut_seed;
    std::atomic<uint32_t> power_lost;
    std::atomic<uint32_t> heartbeat;  // the firmware counts up; standing still fires the watchdog
    std::atomic<uint32_t> flash_timing;  // 1: operations take as long as on the device
    std::atomic<uint32_t> slot;          // that the bootloader started; 0xFE = factory
    std::atomic<uint32_t> reset;         // Reset
};
static_assert(std::atomic<uint64_t>::is_always_lock_free);

}  // namespace twin
