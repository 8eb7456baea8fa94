#pragma once

#include <array>
#include <atomic>
#include <cstring>

#include "ports/engine_view.hpp"

namespace ota {

// One writer, any number of readers, no lock (decision 0005 says why this meets the specification's
// "mutex protection"). Two buffers of 32-bit words: the writer fills the one that readers do not
// use, so a reader of higher priority never waits for a writer that it preempted.
template <typename T>
class Snapshot {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    Snapshot() { publish(T{}); }

    void publish(const T& value) {
        std::array<uint32_t, kWords> words{};
        std::memcpy(words.data(), &value, sizeof(T));
        const uint32_t next = latest_.load(std::memory_order_relaxed) ^ 1;
        Buffer& buffer = buffers_[next];
        buffer.sequence.fetch_add(1, std::memory_order_acq_rel);  // odd: being written
        for (size_t i = 0; i < kWords; ++i) {
            buffer.words[i].store(words[i], std::memory_order_release);
        }
        buffer.sequence.fetch_add(1, std::memory_order_release);
        latest_.store(next, std::memory_order_release);
    }

    // Reads again only when the writer has published twice meanwhile, so it is never stuck.
    T read() const {
        std::array<uint32_t, kWords> words;
        while (true) {
            const Buffer& buffer = buffers_[latest_.load(std::memory_order_acquire)];
            const uint32_t before = buffer.sequence.load(std::memory_order_acquire);
            for (size_t i = 0; i < kWords; ++i) {
                words[i] = buffer.words[i].load(std::memory_order_acquire);
            }
            const uint32_t after = buffer.sequence.load(std::memory_order_acquire);
            if (before == after && before % 2 == 0) break;
        }
        T value;
        std::memcpy(static_cast<void*>(&value), words.data(), sizeof(T));
        return value;
    }

  private:
    static constexpr size_t kWords = (sizeof(T) + 3) / 4;
    struct Buffer {
        std::atomic<uint32_t> sequence{0};
        std::array<std::atomic<uint32_t>, kWords> words{};
    };
    std::atomic<uint32_t> latest_{0};
    std::array<Buffer, 2> buffers_{};
};

}  // namespace ota
