// The engine's task and what other tasks share with it (FreeRTOS). All storage but the task's stack
// is static.
#pragma once

#include <freertos/FreeRTOS.h>
#include <freertos/event_groups.h>
#include <freertos/queue.h>
#include <freertos/semphr.h>
#include <freertos/task.h>

#include <array>
#include <atomic>

#include "api/platform.hpp"

namespace ota {

// A bounded queue of commands.
class QueueMailbox final : public Mailbox {
  public:
    QueueMailbox();
    Status post(const Command& command) override;
    Result<bool> take(Command& command, Millis max_wait) override;

  private:
    static constexpr size_t kCapacity = 8;
    std::array<uint8_t, kCapacity * sizeof(Command)> storage_{};
    StaticQueue_t control_{};
    QueueHandle_t queue_;
};

// Counts how often each state was entered, so that a short one is not missed.
class EventGroupSignal final : public StatusSignal {
  public:
    EventGroupSignal();
    void entered(State state) override;
    Outcome wait(uint32_t mask, uint32_t timeout_ms, State& hit) override;
    void cancel() override;

  private:
    using Counts = std::array<uint32_t, kStateCount>;
    bool look(uint32_t mask, const Counts& before, State& hit) const;
    Counts counts() const;
    void wake();

    std::array<std::atomic<uint32_t>, kStateCount> counts_{};
    std::atomic<State> current_{State::kIdle};
    std::atomic<uint32_t> cancellations_{0};
    StaticEventGroup_t control_{};
    EventGroupHandle_t group_;
};

// Pinned to the configured core, with the configured stack and priority.
class PinnedTask final : public Task {
  public:
    PinnedTask();
    Status start(const TaskConfig& config, void (*entry)(void*), void* context) override;
    void join() override;
    bool is_current() override;
    void pause() override { vTaskDelay(1); }

  private:
    static void run(void* self);

    void (*entry_)(void*) = nullptr;
    void* context_ = nullptr;
    std::atomic<TaskHandle_t> task_{nullptr};
    StaticSemaphore_t control_{};
    SemaphoreHandle_t ended_;
};

}  // namespace ota
