#include "flash_file.hpp"

#include <algorithm>

#include "linux/partition_table.hpp"
#include "ports/flash_layout.hpp"
#include "ports/update_record.hpp"

namespace otactl {
namespace {

namespace layout = ota::layout;
constexpr uint32_t kNvsOffset = 0x9000;
constexpr uint32_t kNvsSize = 0x6000;
constexpr uint32_t kJournalSize = layout::kJournalMinSectors * layout::kSectorSize;

class TableBuilder {
  public:
    explicit TableBuilder(uint32_t flash_size) : flash_size_(flash_size) {}

    void add(const char* label, uint8_t type, uint8_t subtype, uint32_t size) {
        const uint32_t align = type == layout::kTypeApp ? layout::kBlockSize : layout::kSectorSize;
        ota::Partition partition;
        partition.type = type;
        partition.subtype = subtype;
        partition.offset = ota::round_up(next_, align);
        partition.size = size;
        partition.label.assign(label);
        if (size > flash_size_ || partition.offset > flash_size_ - size) {
            throw Failure(Exit::kUsage,
                          std::string("partition ") + label +
                              " does not fit: a larger --size or a smaller --slot-size");
        }
        next_ = partition.offset + size;
        (void)table_.add(partition);
    }
    const ota::PartitionTable& table() const { return table_; }

  private:
    uint32_t flash_size_;
    uint32_t next_ = kNvsOffset;
    ota::PartitionTable table_;
};

}  // namespace

Buffer create_flash(const FlashPlan& plan, const Buffer& image) {
    if (plan.slot_size % layout::kSectorSize != 0 || plan.slot_size == 0) {
        throw Failure(Exit::kUsage, "--slot-size: a multiple of 4096");
    }
    if (plan.slots < 2 || plan.slots > layout::kMaxOtaSlots) {
        throw Failure(Exit::kUsage, "--slots: 2 to 16");
    }
    const uint32_t bank_unit = plan.slots * layout::kSectorSize;
    const uint32_t default_size = plan.slots > ota::kMaxPairings ? 0 : 4 * bank_unit;
    const uint32_t config_size = plan.config_size.value_or(default_size);
    if (config_size % bank_unit != 0 || plan.stage_size % layout::kSectorSize != 0) {
        throw Failure(Exit::kUsage,
                      "--config-size: a multiple of 4096 for each slot; --stage-size: of 4096");
    }
    TableBuilder builder(plan.size);
    builder.add("nvs", layout::kTypeData, layout::kSubtypeNvs, kNvsSize);
    builder.add("otadata", layout::kTypeData, layout::kSubtypeOtadata, layout::kOtadataSize);
    builder.add(layout::kJournalLabel, layout::kTypeData, layout::kSubtypeUndefined, kJournalSize);
    if (config_size != 0) {
        builder.add(layout::kConfigLabel, layout::kTypeData, layout::kSubtypeUndefined,
                    config_size);
    }
    if (plan.factory) {
        builder.add("factory", layout::kTypeApp, layout::kSubtypeFactory, plan.slot_size);
    }
    for (uint8_t i = 0; i < plan.slots; ++i) {
        builder.add(("ota_" + std::to_string(i)).c_str(), layout::kTypeApp,
                    static_cast<uint8_t>(layout::kSubtypeOta0 + i), plan.slot_size);
    }
    if (plan.stage_size != 0) {
        builder.add(layout::kStageLabel, layout::kTypeData, layout::kSubtypeUndefined,
                    plan.stage_size);
    }
    Buffer flash(plan.size, 0xFF);
    require(builder.table().serialize(ota::MutableBytes(flash).subspan(
                layout::kPartitionTableOffset, layout::kPartitionTableSize)),
            "partition table");
    const ota::Partition* first =
        builder.table().slot(plan.factory ? ota::kFactorySlot : ota::SlotId{0});
    if (image.size() > first->size)
        throw Failure(Exit::kRefused, "the image is larger than the slot");
    std::copy(image.begin(), image.end(), flash.begin() + first->offset);
    return flash;
}

}  // namespace otactl
