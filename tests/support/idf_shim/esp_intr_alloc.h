#pragma once
#define ESP_INTR_FLAG_LEVEL1 (1 << 1)
