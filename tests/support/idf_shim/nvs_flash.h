#pragma once
int nvs_flash_init(void);
