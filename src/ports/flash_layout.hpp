// Byte layout that ESP-IDF fixes for the flash of an ESP32-P4. Constants only: the twin's boot ROM
// shares nothing else with the core. Paths are relative to espressif/esp-idf.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ota::layout {

// SPI NOR geometry (components/spi_flash)
inline constexpr uint32_t kSectorSize = 0x1000;
inline constexpr uint32_t kBlockSize = 0x10000;
inline constexpr uint32_t kPageSize = 0x100;

// Partition table (components/partition_table, gen_esp32part.py)
inline constexpr uint32_t kPartitionTableOffset = 0x8000;
inline constexpr uint32_t kPartitionTableSize = 0xC00;
inline constexpr uint32_t kPartitionEntrySize = 32;
inline constexpr uint16_t kPartitionMagic = 0x50AA;
inline constexpr uint16_t kPartitionMd5Magic = 0xEBEB;
inline constexpr uint8_t kTypeApp = 0x00;
inline constexpr uint8_t kTypeData = 0x01;
inline constexpr uint8_t kSubtypeFactory = 0x00;
inline constexpr uint8_t kSubtypeOta0 = 0x10;
inline constexpr uint8_t kMaxOtaSlots = 16;
inline constexpr uint8_t kSubtypeTest = 0x20;
inline constexpr uint8_t kSubtypeOtadata = 0x00;
inline constexpr uint8_t kSubtypeNvs = 0x02;
inline constexpr uint8_t kSubtypeUndefined = 0x06;

// otadata (components/bootloader_support/include/esp_flash_partitions.h): copy i at sector i
inline constexpr uint32_t kOtadataSize = 2 * kSectorSize;
inline constexpr uint32_t kOtadataEntrySize = 32;
inline constexpr uint32_t kOtadataSeqOffset = 0;
inline constexpr uint32_t kOtadataStateOffset = 24;
inline constexpr uint32_t kOtadataCrcOffset = 28;  // over the four bytes of the sequence only
inline constexpr uint32_t kOtadataCrcSeed = 0xFFFFFFFF;
inline constexpr uint32_t kSeqNone = 0xFFFFFFFF;
inline constexpr uint32_t kStateNew = 0;
inline constexpr uint32_t kStatePendingVerify = 1;
inline constexpr uint32_t kStateValid = 2;
inline constexpr uint32_t kStateInvalid = 3;
inline constexpr uint32_t kStateAborted = 4;
inline constexpr uint32_t kStateUndefined = 0xFFFFFFFF;

// Image (components/bootloader_support/include/esp_app_format.h)
inline constexpr uint8_t kImageMagic = 0xE9;
inline constexpr uint8_t kMaxSegments = 16;
inline constexpr uint32_t kImageHeaderSize = 24;
inline constexpr uint32_t kSegmentHeaderSize = 8;
inline constexpr uint16_t kChipEsp32P4 = 0x0012;
inline constexpr uint8_t kChecksumSeed = 0xEF;
inline constexpr uint32_t kChecksumAlign = 16;
inline constexpr uint32_t kImageHashSize = 32;
inline constexpr uint32_t kAppDescriptorMagic = 0xABCD5432;
inline constexpr uint32_t kAppDescriptorSize = 256;
inline constexpr uint32_t kAppDescriptorOffset = kImageHeaderSize + kSegmentHeaderSize;
// So much of an image tells what it is: header, first segment header, descriptor.
inline constexpr uint32_t kImagePrefixSize = kAppDescriptorOffset + kAppDescriptorSize;

// Secure Boot v2 signature sector (components/bootloader_support/include/esp_secure_boot.h)
inline constexpr uint32_t kSignatureSectorSize = 0x1000;
inline constexpr uint32_t kSignatureBlockSize = 1216;
inline constexpr uint32_t kMaxSignatureBlocks = 3;
inline constexpr uint8_t kSignatureMagic = 0xE7;
inline constexpr uint8_t kSignatureRsa = 0x02;
inline constexpr uint8_t kSignatureEcdsa = 0x03;

// Our own partition, declared by the integrator's partitions.csv:
//   ota_journal, data, 0x06, , 0x4000
inline constexpr char kJournalLabel[] = "ota_journal";
inline constexpr uint32_t kJournalMinSectors = 4;
// And two that a device may do without: banks of the configuration, one for each slot, and a
// scratch place for what goes on to other boards, or is encrypted:
//   ota_cfg, data, 0x06, , 0x8000
//   ota_stage, data, 0x06, , 0x200000
inline constexpr char kConfigLabel[] = "ota_cfg";
inline constexpr char kStageLabel[] = "ota_stage";

}  // namespace ota::layout
