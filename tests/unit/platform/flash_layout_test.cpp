// Partition table and otadata, byte for byte as ESP-IDF writes them.
#include "boot/otadata.hpp"
#include "bootloader.hpp"
#include "linux/flash_model.hpp"
#include "linux/partition_table.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

using TableBytes = std::array<uint8_t, layout::kPartitionTableSize>;

PartitionTable sample() {
    PartitionTable table;
    const auto add = [&](const char* label, uint8_t type, uint8_t subtype, uint32_t offset,
                         uint32_t size) {
        Partition partition{type, subtype, offset, size, {}, 0};
        partition.label.assign(label);
        EXPECT_TRUE(table.add(partition));
    };
    add("nvs", 1, 2, 0x9000, 0x6000);
    add("otadata", 1, 0, 0xF000, 0x2000);
    add("factory", 0, 0, 0x20000, 0x10000);
    add("ota_0", 0, 0x10, 0x30000, 0x10000);
    add("ota_1", 0, 0x11, 0x40000, 0x10000);
    add("ota_3", 0, 0x13, 0x50000, 0x10000);
    return table;
}

TEST(PartitionTable, RoundTrip) {
    TableBytes bytes;
    ASSERT_TRUE(sample().serialize(bytes).ok());
    PartitionTable table;
    ASSERT_TRUE(table.parse(bytes, 0x60000).ok());
    ASSERT_EQ(table.partitions().size(), 6U);
    EXPECT_EQ(table.slot_count(), 2);  // counting stops at the gap
    EXPECT_EQ(table.slot(1)->offset, 0x40000U);
    EXPECT_EQ(table.slot(kFactorySlot)->offset, 0x20000U);
    EXPECT_EQ(table.slot(2), nullptr);
    EXPECT_EQ(table.find("nvs")->size, 0x6000U);
    EXPECT_EQ(table.find("none"), nullptr);
}

// First entry and MD5 line of a table that gen_esp32part.py makes of "nvs,data,nvs,0x9000,0x6000".
TEST(PartitionTable, GoldenBytes) {
    TableBytes bytes;
    PartitionTable table;
    Partition nvs{1, 2, 0x9000, 0x6000, {}, 0};
    nvs.label.assign("nvs");
    ASSERT_TRUE(table.add(nvs));
    ASSERT_TRUE(table.serialize(bytes).ok());
    const std::array<uint8_t, 32> entry = {
        0xAA, 0x50, 0x01, 0x02, 0x00, 0x90, 0x00, 0x00, 0x00, 0x60, 0x00, 0x00, 'n', 'v', 's', 0,
        0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,   0,   0,   0};
    EXPECT_TRUE(std::equal(entry.begin(), entry.end(), bytes.begin()));
    EXPECT_EQ(load_le16(&bytes[32]), 0xEBEB);
    EXPECT_TRUE(is_blank(Bytes(bytes).subspan(34, 14)));
    EXPECT_TRUE(is_blank(Bytes(bytes).subspan(64)));
}

TEST(PartitionTable, RefusesDamage) {
    TableBytes good;
    ASSERT_TRUE(sample().serialize(good).ok());
    const auto damaged = [&](size_t at, uint8_t value) {
        TableBytes bytes = good;
        bytes[at] = value;
        PartitionTable table;
        return !table.parse(bytes, 0x60000).ok();
    };
    EXPECT_TRUE(damaged(0, 0));            // magic
    EXPECT_TRUE(damaged(40, 1));           // covered by the MD5
    EXPECT_TRUE(damaged(6 * 32 + 20, 0));  // the MD5 itself
    PartitionTable table;
    EXPECT_FALSE(table.parse(good, 0x50000).ok());  // ota_3 lies outside
    TableBytes blank;
    blank.fill(0xFF);
    EXPECT_FALSE(table.parse(blank, 0x60000).ok());
    TableBytes endless;  // entries up to the last byte, no terminator
    for (size_t at = 0; at < endless.size(); at += 32) {
        std::copy_n(good.begin(), 32, endless.begin() + static_cast<std::ptrdiff_t>(at));
    }
    EXPECT_FALSE(table.parse(endless, 0x60000).ok());
}

class TableFlash final : public rom::RomFlash {
  public:
    explicit TableFlash(const PartitionTable& table) {
        memory.fill(0xFF);
        EXPECT_TRUE(
            table.serialize(MutableBytes(memory).subspan(0x8000, layout::kPartitionTableSize))
                .ok());
    }
    uint32_t size() const override { return static_cast<uint32_t>(memory.size()); }
    bool read(uint32_t address, std::span<uint8_t> out) override {
        std::copy_n(memory.begin() + address, out.size(), out.begin());
        return true;
    }
    bool erase_sector(uint32_t) override { return true; }
    bool program(uint32_t, std::span<const uint8_t>) override { return true; }
    std::array<uint8_t, 0x10000> memory{};
};

// Found by fuzzing: nothing to boot is an answer, not a crash.
TEST(Bootloader, TableWithoutApplications) {
    PartitionTable table;
    Partition data{1, 0, 0x9000, 0x2000, {}, 0};
    data.label.assign("otadata");
    ASSERT_TRUE(table.add(data));
    TableFlash flash(table);
    EXPECT_FALSE(rom::boot(flash).has_value());
    flash.memory[0x8000 + 20] ^= 1;  // the table's MD5 no longer holds
    EXPECT_FALSE(rom::read_partitions(flash).has_value());
    flash.memory.fill(0xFF);
    EXPECT_FALSE(rom::boot(flash).has_value());
}

TEST(Bootloader, CountsSlotsBySubtype) {
    PartitionTable table;
    for (const uint8_t subtype : {uint8_t{0x11}, uint8_t{0x10}, uint8_t{0x20}}) {
        Partition app{0, subtype, 0, 0x1000, {}, 0};
        ASSERT_TRUE(table.add(app));
    }
    TableFlash flash(table);
    const std::optional<rom::Partitions> found = rom::read_partitions(flash);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->slot_count, 2);
    EXPECT_TRUE(found->slots[0].has_value());
    EXPECT_TRUE(found->test_app.has_value());
}

TEST(Otadata, GoldenBytes) {
    std::array<uint8_t, 32> entry;
    serialize_otadata_entry(1, layout::kStateValid, entry);
    std::array<uint8_t, 32> golden;
    golden.fill(0xFF);
    const std::array<uint8_t, 4> seq = {1, 0, 0, 0};
    const std::array<uint8_t, 8> tail = {2, 0, 0, 0, 0x9A, 0x98, 0x43, 0x47};
    std::copy(seq.begin(), seq.end(), golden.begin());
    std::copy(tail.begin(), tail.end(), golden.begin() + 24);
    EXPECT_TRUE(entry == golden);
    const OtadataEntry parsed = parse_otadata_entry(golden);
    EXPECT_TRUE(parsed.bootable());
    EXPECT_EQ(parsed.seq, 1U);
}

class Inspector final : public SlotInspector {
  public:
    bool is_bootable(SlotId slot) override {
        return slot == kFactorySlot ? factory : (bootable >> slot & 1) != 0;
    }
    bool factory = false;
    uint32_t bootable = 0xF;
};

struct Bench {
    explicit Bench(SlotId running = 0, uint8_t slots = 2, bool factory = false)
        : boot(flash, inspector, {running, slots, factory, ResetReason::kPowerOn}) {
        memory.fill(0xFF);
    }
    void put(size_t copy, uint32_t seq, uint32_t state) {
        serialize_otadata_entry(seq, state,
                                MutableBytes(memory).subspan(copy * layout::kSectorSize, 32));
    }
    BootStatus status() {
        BootStatus out;
        EXPECT_TRUE(boot.status(out).ok());
        return out;
    }
    std::array<uint8_t, layout::kOtadataSize> memory{};
    FlashModel flash{memory};
    Inspector inspector;
    OtadataBootControl boot;
};

TEST(BootControl, ArmsWithTheSmallestNextSequence) {
    Bench bench;
    bench.put(0, 1, layout::kStateValid);
    ASSERT_TRUE(bench.boot.arm_trial(1).ok());
    EXPECT_EQ(bench.status().boot, 1);
    EXPECT_EQ(bench.status().entries[1].seq, 2U);
    EXPECT_EQ(bench.status().entries[1].state, layout::kStateNew);
    EXPECT_EQ(bench.status().entries[0].seq, 1U);
    ASSERT_TRUE(bench.boot.disarm().ok());
    EXPECT_EQ(bench.status().boot, 0);
    EXPECT_FALSE(bench.status().entries[1].written());
}

TEST(BootControl, ThreeSlotsSkipSequences) {
    Bench bench(0, 3);
    bench.put(0, 4, layout::kStateValid);  // ota_0
    ASSERT_TRUE(bench.boot.arm_trial(2).ok());
    EXPECT_EQ(bench.status().entries[1].seq, 6U);
    EXPECT_EQ(bench.status().boot, 2);
}

TEST(BootControl, NeverArmsTheRunningOrAMissingSlot) {
    Bench bench;
    EXPECT_FALSE(bench.boot.arm_trial(0).ok());
    EXPECT_FALSE(bench.boot.arm_trial(2).ok());
    EXPECT_EQ(bench.flash.operations(), 0U);
}

TEST(BootControl, InvalidatesOnlyTheStandbyEntry) {
    Bench bench;
    bench.put(0, 1, layout::kStateValid);
    bench.put(1, 2, layout::kStateAborted);
    ASSERT_TRUE(bench.boot.invalidate_standby().ok());
    EXPECT_FALSE(bench.status().entries[1].written());
    EXPECT_EQ(bench.status().entries[0].seq, 1U);
    const uint64_t before = bench.flash.operations();
    ASSERT_TRUE(bench.boot.invalidate_standby().ok());
    EXPECT_EQ(bench.flash.operations(), before);
}

TEST(BootControl, SettlingKeepsInPlaceAndNamesTheRunningSlot) {
    Bench trial(1);
    trial.put(0, 1, layout::kStateValid);
    trial.put(1, 2, layout::kStatePendingVerify);
    ASSERT_TRUE(trial.boot.settle(true).ok());
    EXPECT_EQ(trial.status().entries[1].state, layout::kStateValid);
    EXPECT_EQ(trial.status().entries[1].seq, 2U);
    const uint64_t before = trial.flash.operations();
    ASSERT_TRUE(trial.boot.settle(true).ok());
    EXPECT_EQ(trial.flash.operations(), before);

    Bench fallback(0);  // the bootloader fell back: otadata names ota_1
    fallback.put(1, 2, layout::kStateValid);
    ASSERT_TRUE(fallback.boot.settle(true).ok());
    EXPECT_EQ(fallback.status().boot, 0);
    EXPECT_EQ(fallback.status().entries[0].seq, 3U);

    Bench lost(1);
    ASSERT_TRUE(lost.boot.settle(true).ok());
    EXPECT_EQ(lost.status().boot, 1);
}

TEST(BootControl, GivingUpNeedsAnImageToGoTo) {
    Bench bench(1);
    bench.put(0, 1, layout::kStateValid);
    bench.put(1, 2, layout::kStatePendingVerify);
    bench.inspector.bootable = 0;
    EXPECT_EQ(bench.boot.settle(false).detail(), Detail::kNoOtherImage);
    EXPECT_EQ(bench.flash.operations(), 0U);
    bench.inspector.bootable = 1;
    ASSERT_TRUE(bench.boot.settle(false).ok());
    EXPECT_EQ(bench.status().entries[1].state, layout::kStateInvalid);
    EXPECT_EQ(bench.status().boot, 0);
}

TEST(BootControl, GivingUpNeverNamesASlotThatNobodyProved) {
    Bench bench(1);
    bench.put(1, 2, layout::kStatePendingVerify);
    EXPECT_EQ(bench.boot.settle(false).detail(), Detail::kNoOtherImage);
    EXPECT_EQ(bench.flash.operations(), 0U);
}

TEST(BootControl, GivingUpGoesToFactoryPastAnEntryThatLeadsNowhere) {
    Bench bench(1, 2, true);
    bench.put(0, 1, layout::kStateValid);
    bench.put(1, 2, layout::kStatePendingVerify);
    bench.inspector.bootable = 0;  // ota_0 is damaged
    bench.inspector.factory = true;
    ASSERT_TRUE(bench.boot.settle(false).ok());
    EXPECT_EQ(bench.status().boot, kNoSlot);
    EXPECT_EQ(bench.status().entries[1].state, layout::kStateInvalid);
}

TEST(BootControl, AWriteThatDoesNotHoldIsAnError) {
    Bench bench;
    bench.flash.fail_operations(1, 1);
    EXPECT_TRUE(bench.boot.arm_trial(1).is(Code::kStorage));
}

}  // namespace
}  // namespace ota
