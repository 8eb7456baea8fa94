#include "esp_idf/partition_flash.hpp"

#include <esp_ota_ops.h>
#include <freertos/FreeRTOS.h>
#include <freertos/task.h>

#include <algorithm>

#include "ports/flash_layout.hpp"

namespace ota {
namespace {

constexpr uint32_t kEncryptionUnit = 16;  // components/spi_flash, XTS-AES rows

constexpr Status fault(Code code, Detail detail) {
    return {code, Origin::kPlatform, detail};
}

Status storage(esp_err_t error, Detail detail) {
    return error == ESP_OK ? kOkStatus : fault(Code::kStorage, detail);
}

}  // namespace

PartitionFlash::PartitionFlash(const esp_partition_t& partition) : partition_(&partition) {
    const esp_partition_t* running = esp_ota_get_running_partition();
    is_running_ = running != nullptr && running->address == partition.address;
}

FlashGeometry PartitionFlash::geometry() const {
    FlashGeometry out;
    out.size = partition_->size;
    out.sector_size = layout::kSectorSize;
    out.block_size = layout::kBlockSize;
    out.page_size = layout::kPageSize;
    out.write_unit = partition_->encrypted ? kEncryptionUnit : 1;
    return out;
}

Status PartitionFlash::check(uint32_t address, size_t length) const {
    const bool inside = address <= partition_->size && length <= partition_->size - address;
    return inside ? kOkStatus : fault(Code::kOutOfRange, Detail::kUnaligned);
}

Status PartitionFlash::read(uint32_t address, MutableBytes out) {
    OTA_TRY(check(address, out.size()));
    return storage(esp_partition_read(partition_, address, out.data(), out.size()),
                   Detail::kFlashRead);
}

// Past the decryption, which makes no 0xFF of erased cells.
Result<bool> PartitionFlash::is_erased(uint32_t address, uint32_t length) {
    OTA_TRY(check(address, length));
    std::array<uint8_t, layout::kPageSize> page;
    for (uint32_t at = 0; at < length; at += layout::kPageSize) {
        const MutableBytes part =
            MutableBytes(page).first(std::min(layout::kPageSize, length - at));
        OTA_TRY(storage(esp_partition_read_raw(partition_, address + at, part.data(), part.size()),
                        Detail::kFlashRead));
        if (!is_blank(part)) return false;
    }
    return true;
}

Status PartitionFlash::program(uint32_t address, Bytes bytes) {
    OTA_TRY(check(address, bytes.size()));
    if (is_running_) return fault(Code::kRefused, Detail::kRunningSlot);
    return storage(esp_partition_write(partition_, address, bytes.data(), bytes.size()),
                   Detail::kFlashProgram);
}

Status PartitionFlash::erase(uint32_t address, uint32_t length) {
    OTA_TRY(check(address, length));
    if (is_running_) return fault(Code::kRefused, Detail::kRunningSlot);
    const esp_err_t error = esp_partition_erase_range(partition_, address, length);
    vTaskDelay(1);
    return storage(error, Detail::kFlashErase);
}

}  // namespace ota
