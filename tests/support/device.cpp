#include "support/device.hpp"

#include "verify/slot_check.hpp"
#include "wire/esp_image.hpp"

namespace test {
namespace {

namespace layout = ota::layout;
constexpr uint32_t kOtadataOffset = 0x9000;
constexpr uint32_t kJournalOffset = 0xB000;
constexpr uint32_t kFirstSlot = 0x10000;

// The boot ROM's view of the flash model.
class ModelRomFlash final : public rom::RomFlash {
  public:
    explicit ModelRomFlash(ota::FlashModel& flash) : flash_(flash) {}
    uint32_t size() const override { return flash_.geometry().size; }
    bool read(uint32_t address, std::span<uint8_t> out) override {
        return flash_.read(address, out).ok();
    }
    bool erase_sector(uint32_t address) override {
        return flash_.erase(address, layout::kSectorSize).ok();
    }
    bool program(uint32_t address, std::span<const uint8_t> bytes) override {
        return flash_.program(address, bytes).ok();
    }

  private:
    ota::FlashModel& flash_;
};

ota::PartitionTable make_table(const DeviceLayout& plan) {
    ota::PartitionTable table;
    const auto add = [&](const char* label, uint8_t type, uint8_t subtype, uint32_t offset,
                         uint32_t size) {
        ota::Partition partition{type, subtype, offset, size, {}, 0};
        partition.label.assign(label);
        (void)table.add(partition);
    };
    add("otadata", layout::kTypeData, layout::kSubtypeOtadata, kOtadataOffset,
        layout::kOtadataSize);
    add(layout::kJournalLabel, layout::kTypeData, layout::kSubtypeUndefined, kJournalOffset,
        layout::kJournalMinSectors * layout::kSectorSize);
    uint32_t next = kFirstSlot;
    if (plan.factory) {
        add("factory", layout::kTypeApp, layout::kSubtypeFactory, next, plan.slot_size);
        next += plan.slot_size;
    }
    for (uint8_t i = 0; i < plan.slots; ++i, next += plan.slot_size) {
        add("ota", layout::kTypeApp, static_cast<uint8_t>(layout::kSubtypeOta0 + i), next,
            plan.slot_size);
    }
    if (plan.config_size != 0) {
        add(layout::kConfigLabel, layout::kTypeData, layout::kSubtypeUndefined, next,
            plan.config_size);
        next += plan.config_size;
    }
    if (plan.stage_size != 0) {
        add(layout::kStageLabel, layout::kTypeData, layout::kSubtypeUndefined, next,
            plan.stage_size);
    }
    return table;
}

uint32_t flash_size(const DeviceLayout& plan) {
    return kFirstSlot + plan.slot_size * (plan.slots + (plan.factory ? 1U : 0U)) +
           plan.config_size + plan.stage_size;
}

ota::FlashRegion region_of(ota::FlashModel& flash, const ota::PartitionTable& table,
                           std::string_view label) {
    const ota::Partition* partition = table.find(label);
    return partition == nullptr ? ota::FlashRegion()
                                : ota::FlashRegion(flash, partition->offset, partition->size);
}

}  // namespace

Device::Device(const DeviceLayout& plan)
    : layout_(plan),
      memory_(flash_size(plan), 0xFF),
      table_(make_table(plan)),
      flash(memory_, plan.write_unit) {
    (void)table_.serialize(ota::MutableBytes(memory_).subspan(layout::kPartitionTableOffset,
                                                              layout::kPartitionTableSize));
    (void)trusted.load_pem(public_pem(Key::kEc));
    (void)trusted.load_pem(public_pem(Key::kRsa));
    settings.erase_policy = plan.policy;
    settings.chip_revision = 100;
    otadata_ = ota::FlashRegion(flash, kOtadataOffset, layout::kOtadataSize);
    journal_ =
        ota::FlashRegion(flash, kJournalOffset, layout::kJournalMinSectors * layout::kSectorSize);
    // Units of sixteen bytes come with flash encryption, which all application slots are under.
    if (plan.write_unit != 1) {
        const ota::Partition* first =
            table_.slot(plan.factory ? ota::kFactorySlot : ota::SlotId{0});
        const ota::Partition* last = table_.slot(static_cast<ota::SlotId>(plan.slots - 1));
        flash.encrypt(first->offset, last->offset + last->size);
    }
    config_region_ = region_of(flash, table_, layout::kConfigLabel);
    stage_region_ = region_of(flash, table_, layout::kStageLabel);
}

Device::~Device() = default;

void Device::put_image(ota::SlotId slot, const Buffer& image) {
    flash.place(table_.slot(slot)->offset, image);
}

void Device::load(const Buffer& memory) {
    manager_.reset();
    std::copy(memory.begin(), memory.end(), memory_.begin());
    flash.forget_instability();
    flash.power_on();
}

bool Device::boot(ota::ResetReason reset) {
    manager_.reset();
    restart.requested = false;
    mailbox.queue.clear();
    flash.protect(0, 0);
    ModelRomFlash rom_flash(flash);
    const std::optional<rom::Boot> choice = rom::boot(rom_flash);
    if (!choice || flash.is_off()) return false;
    running_ =
        choice->slot == rom::kFactory ? ota::kFactorySlot : static_cast<ota::SlotId>(choice->slot);
    flash.protect(choice->place.offset, choice->place.size);
    boot_control_.emplace(
        otadata_, static_cast<ota::SlotInspector&>(*this),
        ota::OtadataBootControl::Setup{running_, layout_.slots, layout_.factory, reset});
    ota::BootStatus status;
    if (!boot_control_->status(status).ok()) return false;
    const ota::Partition* standby = table_.slot(status.standby);
    running_region_ = ota::FlashRegion(flash, choice->place.offset, choice->place.size);
    standby_region_ = ota::FlashRegion(flash, standby->offset, standby->size);
    manager_ = std::make_unique<ota::Manager>(
        ota::Ports{running_region_, standby_region_, journal_, *boot_control_, battery, clock,
                   restart, mailbox, signal, layout_.config_size == 0 ? nullptr : &config_region_,
                   layout_.stage_size == 0 ? nullptr : &stage_region_, modules, doors,
                   &access_check},
        status, settings, workspace_);
    manager_->trusted() = trusted;
    if (code_key != nullptr) (void)manager_->file_signature().set_key(code_key);
    access_check.set_hmac_key(access_hmac_key);
    (void)manager_->add_sink(events);
    (void)manager_->add_source({&source, &source, source_kind});
    if (extra_source.channel != nullptr) (void)manager_->add_source(extra_source);
    if (second_source.channel != nullptr) (void)manager_->add_source(second_source);
    for (ota::HealthProbe* probe : probes) (void)manager_->add_probe(*probe);
    manager_->set_safety_callback(safety);
    if (!manager_->start().ok()) return false;
    manager_->begin();
    return true;
}

std::string Device::running_version() const {
    const ota::Partition* partition = table_.slot(running_);
    ota::ImageIdentity image;
    std::array<uint8_t, layout::kImagePrefixSize> prefix;
    flash.peek(partition->offset, prefix);
    if (!ota::parse_image_identity(prefix, image).ok()) return {};
    return std::string(image.version.view());
}

void Device::step() {
    (void)manager_->step(1000);
    clock.advance(mailbox.waited);
}

bool Device::is_bootable(ota::SlotId slot) {
    const ota::Partition* partition = table_.slot(slot);
    if (partition == nullptr) return false;
    ota::FlashRegion region(flash, partition->offset, partition->size);
    return ota::slot_holds_image(region);
}

Buffer Device::configuration() {
    ota::BankContent content;
    if (!manager_ || !manager_->configuration(content).ok()) return {};
    Buffer out(content.size);
    return manager_->read_configuration(0, out).ok() ? out : Buffer();
}

ota::BootStatus Device::boot_status() {
    ota::BootStatus status;
    (void)boot_control_->status(status);
    return status;
}

bool Device::update_and_settle() {
    (void)post(ota::CommandKind::kStartUpdate);
    if (!run_to(ota::State::kReadyToApply)) return false;
    (void)post(ota::CommandKind::kApply);
    if (!run_until([&] { return restart.requested; })) return false;
    if (!boot(ota::ResetReason::kSoftware)) return false;
    if (!run_until([&] { return restart.requested || !manager_->snapshot().trial; })) return false;
    return !restart.requested || boot(ota::ResetReason::kSoftware);
}

}  // namespace test
