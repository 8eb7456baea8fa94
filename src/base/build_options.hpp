// What a build can do and how much room it takes: the integrator's choice, in ESP-IDF by Kconfig.
// What is left out is refused with Detail::kLeftOut; nothing calls its code, so the linker drops
// it.
#pragma once

#include <cstddef>

#ifndef OTA_MANAGER_SOURCE_HTTPS
#define OTA_MANAGER_SOURCE_HTTPS 1
#endif
#ifndef OTA_MANAGER_SOURCE_AWS_IOT
#define OTA_MANAGER_SOURCE_AWS_IOT 1
#endif
#ifndef OTA_MANAGER_JSON_STREAMS
#define OTA_MANAGER_JSON_STREAMS 1
#endif
#ifndef OTA_MANAGER_SOURCE_MODBUS
#define OTA_MANAGER_SOURCE_MODBUS 1
#endif
#ifndef OTA_MANAGER_SOURCE_CANBUS
#define OTA_MANAGER_SOURCE_CANBUS 1
#endif
#ifndef OTA_MANAGER_SOURCE_SD_CARD
#define OTA_MANAGER_SOURCE_SD_CARD 1
#endif
#ifndef OTA_MANAGER_SOURCE_USB_DRIVE
#define OTA_MANAGER_SOURCE_USB_DRIVE 1
#endif
#ifndef OTA_MANAGER_PACKAGE_SUIT
#define OTA_MANAGER_PACKAGE_SUIT 1
#endif
#ifndef OTA_MANAGER_ENCRYPTED_PAYLOADS
#define OTA_MANAGER_ENCRYPTED_PAYLOADS 1
#endif
#ifndef OTA_MANAGER_MODULE_BOARDS
#define OTA_MANAGER_MODULE_BOARDS 1
#endif
#ifndef OTA_MANAGER_SETTINGS_PACKAGES
#define OTA_MANAGER_SETTINGS_PACKAGES 1
#endif
#ifndef OTA_MANAGER_LOG_CONSOLE
#define OTA_MANAGER_LOG_CONSOLE 1
#endif
#ifndef OTA_MANAGER_LOG_SD_CARD
#define OTA_MANAGER_LOG_SD_CARD 1
#endif
#ifndef OTA_MANAGER_LOG_CLOUDWATCH
#define OTA_MANAGER_LOG_CLOUDWATCH 1
#endif
#ifndef OTA_MANAGER_LOG_QUEUE
#define OTA_MANAGER_LOG_QUEUE 4096
#endif
#ifndef OTA_MANAGER_LOG_BATCH
#define OTA_MANAGER_LOG_BATCH 8192
#endif
#ifndef OTA_MANAGER_NO_BATTERY
#define OTA_MANAGER_NO_BATTERY 0
#endif
#ifndef OTA_MANAGER_IO_BUFFER_SIZE
#define OTA_MANAGER_IO_BUFFER_SIZE 4096
#endif
#ifndef OTA_MANAGER_MANIFEST_SIZE
#define OTA_MANAGER_MANIFEST_SIZE 8192
#endif
#ifndef OTA_MANAGER_PUSH_WINDOW
#define OTA_MANAGER_PUSH_WINDOW 8192
#endif
#ifndef OTA_MANAGER_URI_SIZE
#define OTA_MANAGER_URI_SIZE 2048
#endif

namespace ota::build {

inline constexpr bool kHttps = OTA_MANAGER_SOURCE_HTTPS != 0;
inline constexpr bool kAwsIot = OTA_MANAGER_SOURCE_AWS_IOT != 0;
inline constexpr bool kJsonStreams = kAwsIot && OTA_MANAGER_JSON_STREAMS != 0;
inline constexpr bool kModbus = OTA_MANAGER_SOURCE_MODBUS != 0;
inline constexpr bool kCanbus = OTA_MANAGER_SOURCE_CANBUS != 0;
inline constexpr bool kPush = kModbus || kCanbus;
inline constexpr bool kSdCard = OTA_MANAGER_SOURCE_SD_CARD != 0;
inline constexpr bool kUsbDrive = OTA_MANAGER_SOURCE_USB_DRIVE != 0;
inline constexpr bool kFiles = kSdCard || kUsbDrive;
inline constexpr bool kSuit = OTA_MANAGER_PACKAGE_SUIT != 0;
inline constexpr bool kEncryption = kSuit && OTA_MANAGER_ENCRYPTED_PAYLOADS != 0;
// Their images come in SUIT packages.
inline constexpr bool kModules = kSuit && OTA_MANAGER_MODULE_BOARDS != 0;
inline constexpr bool kLinks = kPush || kModules;
inline constexpr bool kConsoleLog = OTA_MANAGER_LOG_CONSOLE != 0;
inline constexpr bool kSettingsPackages = kSuit && OTA_MANAGER_SETTINGS_PACKAGES != 0;
// A shadow or a package brings them.
inline constexpr bool kRemoteSettings = kAwsIot || kSettingsPackages;
inline constexpr bool kSdLog = OTA_MANAGER_LOG_SD_CARD != 0;
inline constexpr bool kCloudWatch = OTA_MANAGER_LOG_CLOUDWATCH != 0;
// What waits for the latter lies on the former's card.
inline constexpr bool kLogSpool = kSdLog && kCloudWatch;
// Sinks that take their time have a task of their own.
inline constexpr bool kLogTask = kSdLog || kCloudWatch;
inline constexpr bool kLog = kConsoleLog || kLogTask;
// Bench boards: an update needs no battery provider.
inline constexpr bool kNoBattery = OTA_MANAGER_NO_BATTERY != 0;

// Bytes; design rule 15. The ranges are those of Kconfig.
inline constexpr size_t kIoBuffer = OTA_MANAGER_IO_BUFFER_SIZE;
inline constexpr size_t kManifestPrefix = OTA_MANAGER_MANIFEST_SIZE;
inline constexpr size_t kPushWindow = OTA_MANAGER_PUSH_WINDOW;
inline constexpr size_t kUri = OTA_MANAGER_URI_SIZE;
inline constexpr size_t kLogQueue = OTA_MANAGER_LOG_QUEUE;  // to the log's task
inline constexpr size_t kLogLines = 2048;                   // that wait for the card
inline constexpr size_t kLogBatch = OTA_MANAGER_LOG_BATCH;  // that wait for CloudWatch

static_assert(kHttps || kAwsIot || kFiles || kPush, "a build without any source can't be updated");
static_assert(kIoBuffer >= 4096 && kIoBuffer <= 65536);
static_assert(kManifestPrefix >= 2048 && kManifestPrefix <= 16384);
static_assert(kUri >= 256 && kUri <= 4096);
static_assert(kLogQueue >= 2048 && kLogQueue <= 65536);
static_assert(kLogBatch >= 4096 && kLogBatch <= 65536);

}  // namespace ota::build
