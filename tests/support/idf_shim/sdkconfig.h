#pragma once
#define CONFIG_MBEDTLS_HAVE_TIME_DATE 1
// Of apps/esp32p4_bess (main/Kconfig.projbuild).
#define CONFIG_BESS_UPDATE_URL "https://firmware.example.com/bess/latest.suit"
#define CONFIG_BESS_SUIT_VENDOR_ID "6123c3a3-abe9-5b3d-8121-9821f5801081"
#define CONFIG_BESS_SUIT_CLASS_ID "e335cddd-9ee6-5fe3-ab4c-abec10f4215a"
#define CONFIG_BESS_PHY_ADDRESS -1
#define CONFIG_BESS_PHY_RESET_GPIO 51
#define CONFIG_BESS_SD_LDO_CHANNEL 4
#define CONFIG_BESS_BENCH 1
