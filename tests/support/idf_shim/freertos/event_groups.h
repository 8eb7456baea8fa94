#pragma once
#include "freertos/FreeRTOS.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef uint32_t EventBits_t;
typedef struct shim_event_group* EventGroupHandle_t;
typedef struct {
    EventGroupHandle_t group;
} StaticEventGroup_t;
EventGroupHandle_t xEventGroupCreateStatic(StaticEventGroup_t* control);
EventBits_t xEventGroupSetBits(EventGroupHandle_t group, EventBits_t bits);
EventBits_t xEventGroupClearBits(EventGroupHandle_t group, EventBits_t bits);
EventBits_t xEventGroupWaitBits(EventGroupHandle_t group, EventBits_t bits, BaseType_t clear,
                                BaseType_t all, TickType_t wait);
#ifdef __cplusplus
}
#endif
