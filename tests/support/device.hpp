// A whole device for tests: flash model, boot ROM model, manager, all in one thread on virtual
// time.
#pragma once

#include <memory>

#include "boot/otadata.hpp"
#include "bootloader.hpp"
#include "engine/manager.hpp"
#include "linux/flash_model.hpp"
#include "linux/partition_table.hpp"
#include "ports/flash_region.hpp"
#include "support/fakes.hpp"

namespace test {

struct DeviceLayout {
    uint8_t slots = 2;
    bool factory = false;
    uint32_t slot_size = 0x20000;
    uint32_t write_unit = 1;
    ota::ErasePolicy policy = ota::ErasePolicy::kSector;
    uint32_t config_size = 0;  // of ota_cfg, all banks; 0 = there is none
    uint32_t stage_size = 0;   // likewise of ota_stage
};

// Without an own memory the device works on a snapshot that the caller keeps.
class Device : private ota::SlotInspector {
  public:
    explicit Device(const DeviceLayout& layout = {});
    virtual ~Device();

    // ---- building
    void put_image(ota::SlotId slot, const Buffer& image);
    Buffer& memory() { return memory_; }
    // Takes the state of another device's flash; power is on, nothing runs.
    void load(const Buffer& memory);

    // ---- what happens to it
    // Boot ROM and bootloader, then the firmware's start. False: no image boots, or no power.
    bool boot(ota::ResetReason reset = ota::ResetReason::kPowerOn);
    // What the bootloader chose last.
    ota::SlotId running() const { return running_; }
    // Version text of the running image, from flash.
    std::string running_version() const;
    bool up() const { return manager_ != nullptr; }
    void shut_down() { manager_.reset(); }

    // One engine round; virtual time passes as long as the engine is ready to sleep.
    void step();
    // Steps until done() or limit milliseconds have passed; true if done.
    template <typename Done>
    bool run_until(Done done, ota::Millis limit = 600000) {
        const ota::Millis end = clock.now() + limit;
        while (clock.now() < end) {
            if (done()) return true;
            step();
            if (flash.is_off()) return false;
        }
        return done();
    }
    bool run_to(ota::State state, ota::Millis limit = 600000) {
        return run_until([&] { return this->state() == state; }, limit);
    }
    ota::State state() const { return manager_->snapshot().state; }
    ota::Detail detail() const {
        return ota::Status::from_word(manager_->snapshot().error).detail();
    }
    ota::Status post(ota::CommandKind kind) { return mailbox.post(kind); }

    // A complete update by an operator: check, start, apply; then the restart, the trial and what
    // follows. False if the device did not end in a confirmed or reverted state.
    bool update_and_settle();
    bool restart_requested() const { return restart.requested; }

    ota::BootStatus boot_status();

    ota::VirtualClock clock;
    FakeBattery battery{clock};
    FakeRestart restart;
    FakeMailbox mailbox;
    FakeSignal signal;
    FakeSource source;
    EventRecorder events;
    ota::Settings settings;
    ota::TrustStore trusted;
    const char* code_key = nullptr;  // of signatures beside files, PEM
    std::vector<ota::HealthProbe*> probes;
    ota::SafetyCallback safety;
    ota::SourceKind source_kind = ota::SourceKind::kHttps;
    ota::UpdateSource extra_source;   // asked after the fake one
    ota::UpdateSource second_source;  // and after that
    ota::ModuleBoards* modules = nullptr;
    std::span<ota::AccessDoor> doors;
    uint32_t access_hmac_key = 0;
    ota::AccessCheck access_check;

  private:
    bool is_bootable(ota::SlotId slot) override;

    DeviceLayout layout_;
    Buffer memory_;
    ota::PartitionTable table_;

  public:
    ota::FlashModel flash;

  private:
    ota::FlashRegion otadata_;
    ota::FlashRegion journal_;
    ota::FlashRegion running_region_;
    ota::FlashRegion standby_region_;
    ota::FlashRegion config_region_;
    ota::FlashRegion stage_region_;
    std::optional<ota::OtadataBootControl> boot_control_;
    ota::SlotId running_ = ota::kNoSlot;
    ota::Workspace workspace_{};
    std::unique_ptr<ota::Manager> manager_;

  public:
    ota::Manager& manager() { return *manager_; }
    ota::OtadataBootControl& boot_control() { return *boot_control_; }
    const ota::PartitionTable& table() const { return table_; }
    ota::FlashRegion& journal_region() { return journal_; }
    ota::FlashRegion& otadata_region() { return otadata_; }
    ota::FlashRegion& config_region() { return config_region_; }
    ota::FlashRegion& stage_region() { return stage_region_; }
    // What the running firmware reads as its configuration; empty: none, or damaged.
    Buffer configuration();
};

// A health probe that says what it is told to.
class FakeProbe final : public ota::HealthProbe {
  public:
    const char* name() const override { return "fake"; }
    ota::Health poll() override { return health; }
    ota::Health health = ota::Health::kPass;
};

}  // namespace test
