// Ends a rest: given by interrupts, timers and tasks, taken by one task.
#pragma once

#include <freertos/FreeRTOS.h>
#include <freertos/semphr.h>

namespace ota {

// Static storage, in internal RAM like everything of the platform: interrupts use it while the
// flash is not to be read.
class Wake {
  public:
    Wake() : handle_(xSemaphoreCreateBinaryStatic(&control_)) {}
    ~Wake() { vSemaphoreDelete(handle_); }
    Wake(const Wake&) = delete;
    Wake& operator=(const Wake&) = delete;

    // What interrupts give to.
    [[gnu::always_inline]] SemaphoreHandle_t handle() const { return handle_; }
    void give() { (void)xSemaphoreGive(handle_); }
    void take(TickType_t longest) { (void)xSemaphoreTake(handle_, longest); }

  private:
    StaticSemaphore_t control_{};
    SemaphoreHandle_t handle_;
};

}  // namespace ota
