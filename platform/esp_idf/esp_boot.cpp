#include "esp_idf/esp_boot.hpp"

#include <esp_app_desc.h>
#include <esp_efuse.h>
#include <esp_image_format.h>
#include <esp_ota_ops.h>
#include <esp_system.h>

namespace ota {
namespace {

SlotId slot_of(const esp_partition_t& partition) {
    if (partition.subtype == ESP_PARTITION_SUBTYPE_APP_FACTORY) return kFactorySlot;
    const int index = partition.subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN;
    return index >= 0 && index < layout::kMaxOtaSlots ? static_cast<SlotId>(index) : kNoSlot;
}

const esp_partition_t* partition_of(SlotId slot) {
    const auto subtype =
        slot == kFactorySlot
            ? ESP_PARTITION_SUBTYPE_APP_FACTORY
            : static_cast<esp_partition_subtype_t>(ESP_PARTITION_SUBTYPE_APP_OTA_MIN + slot);
    return esp_partition_find_first(ESP_PARTITION_TYPE_APP, subtype, nullptr);
}

ResetReason reset_reason() {
    switch (esp_reset_reason()) {
        case ESP_RST_SW:
        case ESP_RST_DEEPSLEEP:
            return ResetReason::kSoftware;
        case ESP_RST_PANIC:
        case ESP_RST_CPU_LOCKUP:
            return ResetReason::kPanic;
        case ESP_RST_INT_WDT:
        case ESP_RST_TASK_WDT:
        case ESP_RST_WDT:
            return ResetReason::kWatchdog;
        case ESP_RST_BROWNOUT:
        case ESP_RST_PWR_GLITCH:
            return ResetReason::kBrownout;
        default:  // power on, the reset pin, a debugger
            return ResetReason::kPowerOn;
    }
}

}  // namespace

BootSetup boot_setup() {
    BootSetup out;
    const esp_partition_t* running = esp_ota_get_running_partition();
    if (running != nullptr) out.running = slot_of(*running);
    out.slot_count = esp_ota_get_app_partition_count();
    out.factory = partition_of(kFactorySlot) != nullptr;
    out.reset = reset_reason();
    return out;
}

bool EspSlotInspector::is_bootable(SlotId slot) {
    const esp_partition_t* partition = partition_of(slot);
    if (partition == nullptr) return false;
    const esp_partition_pos_t position = {partition->address, partition->size};
    esp_image_metadata_t metadata{};
    return esp_image_verify(ESP_IMAGE_VERIFY_SILENT, &position, &metadata) == ESP_OK;
}

Status EspBootControl::settle(bool keep) {
    OTA_TRY(otadata_.settle(keep));
    if (!keep || !OTA_MANAGER_ANTI_ROLLBACK) return {};
    // After the entry was read back as VALID. esp_ota_mark_app_valid_cancel_rollback would burn
    // nothing then; without this the bootloader burns at the next start.
    const uint32_t version = esp_app_get_description()->secure_version;
    return esp_efuse_update_secure_version(version) == ESP_OK
               ? kOkStatus
               : Status{Code::kStorage, Origin::kPlatform, Detail::kConfirmFailed};
}

}  // namespace ota
