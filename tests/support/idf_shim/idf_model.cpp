#include "idf_model.hpp"

#include <esp_app_desc.h>
#include <esp_efuse.h>
#include <esp_event.h>
#include <esp_image_format.h>
#include <esp_ota_ops.h>
#include <freertos/FreeRTOS.h>
#include <freertos/event_groups.h>
#include <freertos/queue.h>
#include <freertos/semphr.h>
#include <freertos/task.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

namespace idf_model {
Chip chip;
}

using idf_model::chip;

namespace {

std::chrono::milliseconds time_of(TickType_t ticks) {
    return std::chrono::milliseconds(uint64_t{ticks} * 1000 / configTICK_RATE_HZ);
}

esp_err_t result_of(ota::Status status) {
    return status.ok() ? ESP_OK : ESP_FAIL;
}

}  // namespace

struct shim_queue {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::vector<uint8_t>> items;
    size_t length = 0;
    size_t item_size = 0;
};
struct shim_event_group {
    std::mutex mutex;
    std::condition_variable changed;
    EventBits_t bits = 0;
    uint64_t sets = 0;  // who waits is woken although the bits are cleared right away
};
struct shim_task {
    int number = 0;
};

namespace {

// Never given back: on the device they are static objects.
std::deque<shim_queue> queues;
std::deque<shim_event_group> groups;
std::deque<shim_task> tasks;
thread_local shim_task first_task;  // of a thread that no test made
thread_local shim_task* current_task = &first_task;

}  // namespace

extern "C" {

// ---------------------------------------------------------------- flash and boot

const esp_partition_t* esp_partition_find_first(esp_partition_type_t type,
                                                esp_partition_subtype_t subtype,
                                                const char* label) {
    for (const esp_partition_t& partition : chip.partitions) {
        const bool fits = partition.type == type &&
                          (subtype == ESP_PARTITION_SUBTYPE_ANY || partition.subtype == subtype) &&
                          (label == nullptr || std::strcmp(label, partition.label) == 0);
        if (fits) return &partition;
    }
    return nullptr;
}

esp_err_t esp_partition_read(const esp_partition_t* partition, size_t offset, void* out,
                             size_t size) {
    return result_of(chip.flash->read(partition->address + static_cast<uint32_t>(offset),
                                      {static_cast<uint8_t*>(out), size}));
}

// Cells: what the model erased, whether its bytes are under a key or not.
esp_err_t esp_partition_read_raw(const esp_partition_t* partition, size_t offset, void* out,
                                 size_t size) {
    const uint32_t address = partition->address + static_cast<uint32_t>(offset);
    const ota::MutableBytes bytes(static_cast<uint8_t*>(out), size);
    const ota::Result<bool> erased = chip.flash->is_erased(address, static_cast<uint32_t>(size));
    if (!erased.ok()) return ESP_FAIL;
    chip.flash->peek(address, bytes);
    if (*erased) std::fill(bytes.begin(), bytes.end(), uint8_t{0xFF});
    return ESP_OK;
}

esp_err_t esp_partition_write(const esp_partition_t* partition, size_t offset, const void* bytes,
                              size_t size) {
    // The driver programs any length, a page at a time.
    const auto* from = static_cast<const uint8_t*>(bytes);
    auto address = partition->address + static_cast<uint32_t>(offset);
    while (size != 0) {
        const size_t n = std::min<size_t>(size, 256 - address % 256);
        const ota::Status status = chip.flash->program(address, {from, n});
        if (!status.ok()) return ESP_FAIL;
        from += n;
        address += static_cast<uint32_t>(n);
        size -= n;
    }
    return ESP_OK;
}

esp_err_t esp_partition_erase_range(const esp_partition_t* partition, size_t offset, size_t size) {
    return result_of(chip.flash->erase(partition->address + static_cast<uint32_t>(offset),
                                       static_cast<uint32_t>(size)));
}

const esp_partition_t* esp_ota_get_running_partition(void) {
    for (const esp_partition_t& partition : chip.partitions) {
        if (partition.address == chip.running) return &partition;
    }
    return nullptr;
}

// Numbered from ota_0; the count ends at the first gap.
uint8_t esp_ota_get_app_partition_count(void) {
    uint8_t count = 0;
    const auto is_next = [&](const esp_partition_t& partition) {
        return partition.type == ESP_PARTITION_TYPE_APP &&
               partition.subtype == ESP_PARTITION_SUBTYPE_APP_OTA_MIN + count;
    };
    while (std::any_of(chip.partitions.begin(), chip.partitions.end(), is_next)) ++count;
    return count;
}

const esp_app_desc_t* esp_app_get_description(void) {
    return &chip.app;
}

// Of any other slot: what the test says.
esp_err_t esp_ota_get_partition_description(const esp_partition_t*, esp_app_desc_t* app_desc) {
    *app_desc = chip.other_app;
    return ESP_OK;
}

bool esp_efuse_check_secure_version(uint32_t secure_version) {
    return secure_version >= chip.burned_version;
}

esp_err_t esp_efuse_update_secure_version(uint32_t secure_version) {
    if (chip.burn_fails || secure_version < chip.burned_version) return ESP_FAIL;
    chip.burned_version = secure_version;
    return ESP_OK;
}

esp_err_t esp_image_verify(esp_image_load_mode_t, const esp_partition_pos_t*,
                           esp_image_metadata_t*) {
    return chip.image;
}

esp_reset_reason_t esp_reset_reason(void) {
    return chip.reset;
}

// ---------------------------------------------------------------- FreeRTOS

QueueHandle_t xQueueCreateStatic(UBaseType_t length, UBaseType_t item_size, uint8_t*,
                                 StaticQueue_t* control) {
    shim_queue& queue = queues.emplace_back();
    queue.length = length;
    queue.item_size = item_size;
    control->queue = &queue;
    return &queue;
}

BaseType_t xQueueSend(QueueHandle_t queue, const void* item, TickType_t) {
    const std::lock_guard lock(queue->mutex);
    if (queue->items.size() == queue->length) return pdFALSE;
    const auto* bytes = static_cast<const uint8_t*>(item);
    queue->items.emplace_back(bytes, bytes + queue->item_size);
    queue->changed.notify_one();
    return pdTRUE;
}

BaseType_t xQueueReceive(QueueHandle_t queue, void* item, TickType_t wait) {
    std::unique_lock lock(queue->mutex);
    const auto filled = [&] { return !queue->items.empty(); };
    if (!queue->changed.wait_for(lock, time_of(wait), filled)) return pdFALSE;
    if (item != nullptr) std::memcpy(item, queue->items.front().data(), queue->item_size);
    queue->items.pop_front();
    return pdTRUE;
}

SemaphoreHandle_t xSemaphoreCreateBinaryStatic(StaticSemaphore_t* control) {
    StaticQueue_t queue{};
    control->semaphore = xQueueCreateStatic(1, 0, nullptr, &queue);
    return control->semaphore;
}

BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t wait) {
    constexpr TickType_t kHour = 360000;
    return xQueueReceive(semaphore, nullptr, std::min(wait, kHour));
}

BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore) {
    return xQueueSend(semaphore, "", 0);
}

BaseType_t xSemaphoreGiveFromISR(SemaphoreHandle_t semaphore, BaseType_t*) {
    return xSemaphoreGive(semaphore);
}

void vQueueDelete(QueueHandle_t) {}
void vSemaphoreDelete(SemaphoreHandle_t) {}

EventGroupHandle_t xEventGroupCreateStatic(StaticEventGroup_t* control) {
    control->group = &groups.emplace_back();
    return control->group;
}

EventBits_t xEventGroupSetBits(EventGroupHandle_t group, EventBits_t bits) {
    const std::lock_guard lock(group->mutex);
    group->bits |= bits;
    ++group->sets;
    group->changed.notify_all();
    return group->bits;
}

EventBits_t xEventGroupClearBits(EventGroupHandle_t group, EventBits_t bits) {
    const std::lock_guard lock(group->mutex);
    group->bits &= ~bits;
    return group->bits;
}

EventBits_t xEventGroupWaitBits(EventGroupHandle_t group, EventBits_t bits, BaseType_t clear,
                                BaseType_t, TickType_t wait) {
    std::unique_lock lock(group->mutex);
    const uint64_t before = group->sets;
    (void)group->changed.wait_for(
        lock, time_of(wait), [&] { return (group->bits & bits) != 0 || group->sets != before; });
    const EventBits_t found = group->bits;
    if (clear == pdTRUE) group->bits &= ~bits;
    return found;
}

BaseType_t xTaskCreatePinnedToCore(void (*entry)(void*), const char*, uint32_t, void* argument,
                                   UBaseType_t, TaskHandle_t* handle, BaseType_t) {
    shim_task* task = &tasks.emplace_back();
    *handle = task;
    std::thread([entry, argument, task] {
        current_task = task;
        entry(argument);
    }).detach();
    return pdPASS;
}

TaskHandle_t xTaskGetCurrentTaskHandle(void) {
    return current_task;
}

UBaseType_t uxTaskPriorityGet(TaskHandle_t) {
    return 5;
}

TickType_t xTaskGetTickCount(void) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<TickType_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now).count() / 10);
}

void vTaskDelay(TickType_t ticks) {
    ++chip.delays;
    std::this_thread::sleep_for(time_of(ticks));
}

esp_err_t esp_event_post(esp_event_base_t base, int32_t id, const void* data, size_t size,
                         TickType_t longest) {
    const auto* bytes = static_cast<const uint8_t*>(data);
    chip.events.push_back({base, id, {bytes, bytes + size}, longest});
    return ESP_OK;
}

// The thread ends when its entry returns.
void vTaskDelete(TaskHandle_t) {}
}
