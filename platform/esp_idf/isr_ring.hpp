// From an interrupt to a task.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ota {

// One producer, one consumer, no lock. Whatever the interrupt calls is compiled into it, from -Og
// on: it may run while flash, and a function in it, can't be read. For the same reason the slots
// are a plain array.
template <typename T, size_t kSlots>
class IsrRing {
    static_assert((kSlots & (kSlots - 1)) == 0, "indices wrap around at 2^32");

  public:
    // In the interrupt: the next free slot, or null; commit() hands it over.
    [[gnu::always_inline]] T* reserve() {
        const uint32_t head = head_.load(std::memory_order_relaxed);
        if (head - tail_.load(std::memory_order_acquire) == kSlots) return nullptr;
        return &slots_[head % kSlots];
    }
    [[gnu::always_inline]] void commit() {
        head_.store(head_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }

    // In the task: the oldest, or null; pop() makes room.
    const T* front() const {
        const uint32_t tail = tail_.load(std::memory_order_relaxed);
        return tail == head_.load(std::memory_order_acquire) ? nullptr : &slots_[tail % kSlots];
    }
    void pop() {
        tail_.store(tail_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }
    // While there is no interrupt.
    void clear() { tail_ = head_.load(); }

  private:
    std::atomic<uint32_t> head_{0};
    std::atomic<uint32_t> tail_{0};
    T slots_[kSlots]{};
};

}  // namespace ota
