#include "esp_idf/rtos.hpp"

namespace ota {
namespace {

constexpr EventBits_t kChanged = 1;
// A change between a look and the wait that follows it is noticed after so long.
constexpr TickType_t kLongestBlindness = pdMS_TO_TICKS(100);

// At least so long: a tick that has begun counts as a whole one. In 64 bits, unlike pdMS_TO_TICKS,
// which goes wrong beyond twelve hours.
TickType_t ticks_of(Millis time) {
    const uint64_t ticks = uint64_t{time} * configTICK_RATE_HZ / 1000 + (time == 0 ? 0 : 1);
    return ticks < portMAX_DELAY ? static_cast<TickType_t>(ticks) : portMAX_DELAY - 1;
}

}  // namespace

// ---------------------------------------------------------------- commands

QueueMailbox::QueueMailbox()
    : queue_(xQueueCreateStatic(kCapacity, sizeof(Command), storage_.data(), &control_)) {}

Status QueueMailbox::post(const Command& command) {
    const bool sent = xQueueSend(queue_, &command, 0) == pdTRUE;
    return sent ? kOkStatus : Status{Code::kNoSpace, Origin::kPlatform};
}

Result<bool> QueueMailbox::take(Command& command, Millis max_wait) {
    return xQueueReceive(queue_, &command, ticks_of(max_wait)) == pdTRUE;
}

// ---------------------------------------------------------------- states

EventGroupSignal::EventGroupSignal() : group_(xEventGroupCreateStatic(&control_)) {}

void EventGroupSignal::entered(State state) {
    current_ = state;
    ++counts_[static_cast<size_t>(state)];
    wake();
}

void EventGroupSignal::cancel() {
    ++cancellations_;
    wake();
}

// All who wait now. They clear the bit themselves: a waiter of higher priority runs before this
// call returns, and one that found the bit still set would spin and never let the engine on.
void EventGroupSignal::wake() {
    (void)xEventGroupSetBits(group_, kChanged);
}

EventGroupSignal::Counts EventGroupSignal::counts() const {
    Counts out;
    for (size_t i = 0; i < out.size(); ++i) out[i] = counts_[i];
    return out;
}

bool EventGroupSignal::look(uint32_t mask, const Counts& before, State& hit) const {
    const Counts now = counts();
    for (size_t i = 0; i < now.size(); ++i) {
        const bool wanted = (mask >> i & 1) != 0;
        const bool is_in = static_cast<size_t>(current_.load()) == i;
        if (!wanted || (now[i] == before[i] && !is_in)) continue;
        hit = static_cast<State>(i);
        return true;
    }
    return false;
}

StatusSignal::Outcome EventGroupSignal::wait(uint32_t mask, uint32_t timeout_ms, State& hit) {
    const Counts before = counts();
    const uint32_t cancellations = cancellations_;
    const TickType_t started = xTaskGetTickCount();
    const TickType_t longest = ticks_of(timeout_ms);
    while (true) {
        if (look(mask, before, hit)) return Outcome::kHit;
        if (cancellations_ != cancellations) return Outcome::kCancelled;
        const TickType_t passed = xTaskGetTickCount() - started;
        if (passed >= longest) return Outcome::kTimeout;
        const TickType_t left = longest - passed;
        (void)xEventGroupWaitBits(group_, kChanged, pdTRUE, pdFALSE,
                                  left < kLongestBlindness ? left : kLongestBlindness);
    }
}

// ---------------------------------------------------------------- the task

PinnedTask::PinnedTask() : ended_(xSemaphoreCreateBinaryStatic(&control_)) {}

Status PinnedTask::start(const TaskConfig& config, void (*entry)(void*), void* context) {
    entry_ = entry;
    context_ = context;
    TaskHandle_t handle = nullptr;
    const BaseType_t made = xTaskCreatePinnedToCore(run, "ota_manager", config.stack_size, this,
                                                    static_cast<UBaseType_t>(config.priority),
                                                    &handle, static_cast<BaseType_t>(config.core));
    return made == pdPASS ? kOkStatus : Status{Code::kNoSpace, Origin::kPlatform};
}

// Announces itself before anything can call back.
void PinnedTask::run(void* self) {
    auto& task = *static_cast<PinnedTask*>(self);
    task.task_ = xTaskGetCurrentTaskHandle();
    task.entry_(task.context_);
    task.task_ = nullptr;
    (void)xSemaphoreGive(task.ended_);
    vTaskDelete(nullptr);
}

void PinnedTask::join() {
    (void)xSemaphoreTake(ended_, portMAX_DELAY);
}

bool PinnedTask::is_current() {
    return task_.load() == xTaskGetCurrentTaskHandle();
}

}  // namespace ota
