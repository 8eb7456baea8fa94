// What the chip says about its start and its slots (esp_ota_ops.h, esp_system.h).
#pragma once

#include "ports/boot_control.hpp"

namespace ota {

// kNoSlot as running when it runs from none.
BootSetup boot_setup();

// A slot is bootable when the bootloader's own check says so: header, chip, segments, checksum,
// digest and, where secure boot is on, the signature (esp_image_format.h).
class EspSlotInspector final : public SlotInspector {
  public:
    bool is_bootable(SlotId slot) override;
};

// Writes of otadata are our own (decision 0015). A confirmation burns the secure version into
// eFuses where anti-rollback is on (CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK).
class EspBootControl final : public BootControl {
  public:
    explicit EspBootControl(BootControl& otadata) : otadata_(otadata) {}

    Status status(BootStatus& out) override { return otadata_.status(out); }
    Status arm_trial(SlotId slot) override { return otadata_.arm_trial(slot); }
    Status disarm() override { return otadata_.disarm(); }
    Status invalidate_standby() override { return otadata_.invalidate_standby(); }
    Status settle(bool keep) override;

  private:
    BootControl& otadata_;
};

}  // namespace ota
