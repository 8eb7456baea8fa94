#pragma once
#include "freertos/FreeRTOS.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct shim_queue* SemaphoreHandle_t;
typedef struct {
    SemaphoreHandle_t semaphore;
} StaticSemaphore_t;
SemaphoreHandle_t xSemaphoreCreateBinaryStatic(StaticSemaphore_t* control);
SemaphoreHandle_t xSemaphoreCreateMutexStatic(StaticSemaphore_t* control);
BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t wait);
BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore);
BaseType_t xSemaphoreGiveFromISR(SemaphoreHandle_t semaphore, BaseType_t* woken);
void vSemaphoreDelete(SemaphoreHandle_t semaphore);
#ifdef __cplusplus
}
#endif
