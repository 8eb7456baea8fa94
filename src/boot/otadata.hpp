// ESP-IDF's otadata and what esp_ota_ops.c does with it, over the partition itself.
#pragma once

#include "ports/boot_control.hpp"
#include "ports/flash.hpp"

namespace ota {

OtadataEntry parse_otadata_entry(Bytes bytes);
void serialize_otadata_entry(uint32_t seq, uint32_t state, MutableBytes out);

// The behaviour of components/app_update/esp_ota_ops.c with rollback enabled: every write erases
// the copy's sector and programs one entry; a state changes in place.
class OtadataBootControl final : public BootControl {
  public:
    using Setup = BootSetup;
    OtadataBootControl(Flash& otadata, SlotInspector& inspector, const Setup& setup)
        : flash_(otadata), inspector_(inspector), setup_(setup) {}

    Status status(BootStatus& out) override;
    Status arm_trial(SlotId slot) override;
    Status disarm() override;
    Status invalidate_standby() override;
    Status settle(bool keep) override;

  private:
    static constexpr size_t kNone = 2;

    SlotId standby_slot() const;
    size_t active_copy(const BootStatus& status) const;
    Status write_copy(size_t copy, uint32_t seq, uint32_t state);
    Status write_next(const BootStatus& status, SlotId slot, uint32_t state);
    Status erase_copy(size_t copy);
    Status keep_running(const BootStatus& status);
    Status give_up_running(const BootStatus& status);
    bool other_boots(const BootStatus& now) const;

    Flash& flash_;
    SlotInspector& inspector_;
    Setup setup_;
};

}  // namespace ota
