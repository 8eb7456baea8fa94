#pragma once
int esp_event_loop_create_default(void);
