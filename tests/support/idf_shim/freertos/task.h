#pragma once
#include "freertos/FreeRTOS.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct shim_task* TaskHandle_t;
#define tskNO_AFFINITY 0x7FFFFFFF
BaseType_t xTaskCreatePinnedToCore(void (*entry)(void*), const char* name, uint32_t stack,
                                   void* argument, UBaseType_t priority, TaskHandle_t* handle,
                                   BaseType_t core);
BaseType_t xTaskCreate(void (*entry)(void*), const char* name, uint32_t stack, void* argument,
                       UBaseType_t priority, TaskHandle_t* handle);
TaskHandle_t xTaskGetCurrentTaskHandle(void);
UBaseType_t uxTaskPriorityGet(TaskHandle_t task);
TickType_t xTaskGetTickCount(void);
void vTaskDelay(TickType_t ticks);
void vTaskDelete(TaskHandle_t task);
#ifdef __cplusplus
}
#endif
