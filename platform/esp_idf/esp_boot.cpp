#include "esp_idf/esp_boot.hpp"

#include <esp_app_desc.h>
#include <esp_efuse.h>
#include <esp_image_format.h>
#include <esp_ota_ops.h>
#include <esp_system.h>

namespace ota {
namespace {

// How many the eFuses can count; 0: anti-rollback is off.
constexpr uint32_t kSecureVersions = OTA_MANAGER_SECURE_VERSIONS;

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
    if (esp_image_verify(ESP_IMAGE_VERIFY_SILENT, &position, &metadata) != ESP_OK) return false;
    if (kSecureVersions == 0) return true;
    esp_app_desc_t image{};
    return esp_ota_get_partition_description(partition, &image) == ESP_OK &&
           esp_efuse_check_secure_version(image.secure_version);
}

Status EspBootControl::settle(bool keep) {
    const bool burns = keep && kSecureVersions != 0;
    const uint32_t version = esp_app_get_description()->secure_version;
    // An image whose version the eFuses can't hold would be confirmed and refused for ever: it is
    // left on trial, and the next reset takes it back.
    if (burns && (version > kSecureVersions || !esp_efuse_check_secure_version(version))) {
        return {Code::kStorage, Origin::kPlatform, Detail::kConfirmFailed};
    }
    OTA_TRY(otadata_.settle(keep));
    // Only after the entry was read back as VALID. Where it fails, the bootloader burns at the next
    // start.
    if (burns) (void)esp_efuse_update_secure_version(version);
    return {};
}

}  // namespace ota
