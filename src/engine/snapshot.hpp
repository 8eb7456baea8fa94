#pragma once

#include <array>
#include <atomic>
#include <cstring>

#include "ports/events.hpp"

namespace ota {

// What other tasks may read of the engine at any time.
struct EngineSnapshot {
    State state = State::kIdle;
    bool trial = false;
    bool paused = false;
    uint32_t error = 0;   // Status word of the last failure, kept until the next start
    int32_t reading = 0;  // reading and limit behind a kUnsafe error or the pause
    int32_t limit = 0;
    uint32_t received = 0;      // bytes
    uint32_t total = 0;         // bytes, 0 = unknown
    uint32_t offered_size = 0;  // the offered package; version empty = none
    char offered_version[33] = {};
    char running_version[33] = {};
    char report_version[33] = {};  // the latest update that ended
    char report_probe[25] = {};
    UpdateStage report_stage = UpdateStage::kNone;
    RevertReason report_reason = RevertReason::kNone;
    SlotId running = kNoSlot;
    SlotId boot = kNoSlot;
    uint32_t running_state = 0;  // otadata state of the running slot
    ResetReason reset = ResetReason::kPowerOn;
};

// One writer, any number of readers, no lock: a sequence number around an array of relaxed atomics
// (decision 0005 says why this meets the specification's "mutex protection").
template <typename T>
class Snapshot {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    void publish(const T& value) {
        std::array<uint32_t, kWords> words{};
        std::memcpy(words.data(), &value, sizeof(T));
        sequence_.fetch_add(1, std::memory_order_acq_rel);  // odd: being written
        for (size_t i = 0; i < kWords; ++i) words_[i].store(words[i], std::memory_order_release);
        sequence_.fetch_add(1, std::memory_order_release);
    }

    // Retries while the writer is at work; a write takes well under a microsecond.
    T read() const {
        std::array<uint32_t, kWords> words;
        while (true) {
            const uint32_t before = sequence_.load(std::memory_order_acquire);
            for (size_t i = 0; i < kWords; ++i)
                words[i] = words_[i].load(std::memory_order_acquire);
            const uint32_t after = sequence_.load(std::memory_order_acquire);
            if (before == after && before % 2 == 0) break;
        }
        T value;
        std::memcpy(static_cast<void*>(&value), words.data(), sizeof(T));
        return value;
    }

  private:
    static constexpr size_t kWords = (sizeof(T) + 3) / 4;
    std::atomic<uint32_t> sequence_{0};
    std::array<std::atomic<uint32_t>, kWords> words_{};
};

}  // namespace ota
