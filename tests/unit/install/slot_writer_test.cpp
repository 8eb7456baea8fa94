#include "install/slot_writer.hpp"

#include <vector>

#include "linux/flash_model.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

using Buffer = std::vector<uint8_t>;
constexpr uint32_t kSlot = 256 * 1024;

class Collector final : public ReadBackSink {
  public:
    Status on_read_back(Bytes bytes) override {
        seen.insert(seen.end(), bytes.begin(), bytes.end());
        return {};
    }
    Buffer seen;
};

Buffer random_bytes(size_t size, uint32_t seed) {
    Buffer out(size);
    for (uint8_t& byte : out) {
        seed = seed * 1664525U + 1013904223U;
        byte = static_cast<uint8_t>(seed >> 24);
    }
    return out;
}

struct Bench {
    explicit Bench(ErasePolicy erase = ErasePolicy::kSector, uint32_t write_unit = 1)
        : memory(kSlot, 0), flash(memory, write_unit), policy(erase) {}

    // Writes image from where the writer wants it, in pieces; resumed_at tells where that was.
    Status write(const Buffer& image, size_t piece, bool resume = false) {
        collector.seen.clear();
        SlotWriter writer(flash, policy, collector);
        Payload payload;
        payload.size = image.size();
        while (true) {
            const Result<uint64_t> at = writer.prepare(payload, resume);
            if (at.status().is(Code::kTryAgain)) continue;
            OTA_TRY(at.status());
            resumed_at = *at;
            break;
        }
        for (size_t at = static_cast<size_t>(resumed_at); at < image.size(); at += piece) {
            OTA_TRY(writer.write(Bytes(image).subspan(at, std::min(piece, image.size() - at))));
        }
        return writer.finish();
    }
    bool holds(const Buffer& image) const {
        return std::equal(image.begin(), image.end(), memory.begin()) && collector.seen == image;
    }

    Buffer memory;
    FlashModel flash;
    ErasePolicy policy;
    Collector collector;
    uint64_t resumed_at = 0;
};

class EraseCounter final : public FlashObserver {
  public:
    void on_operation(const FlashOperation& operation) override {
        if (operation.kind != FlashOperation::Kind::kErase) return;
        longest = std::max(longest, operation.length);
        for (uint32_t at = 0; at < operation.length; at += layout::kSectorSize) {
            ++count[(operation.address + at) / layout::kSectorSize];
        }
    }
    void on_power_lost() override {}
    std::array<uint32_t, kSlot / layout::kSectorSize> count{};
    uint32_t longest = 0;
};

TEST(FieldCase, B01_odd_writes_erase_every_sector_once) {
    const Buffer image = random_bytes(100 * 1024 + 37, 3);
    for (const size_t piece : {1U, 252U, 256U, 4095U, 4096U, 4097U, 5000U, 12345U}) {
        for (const ErasePolicy policy : {ErasePolicy::kSector, ErasePolicy::kBlockAhead}) {
            Bench bench(policy);
            EraseCounter counter;
            bench.flash.set_observer(&counter);
            ASSERT_TRUE(bench.write(image, piece).ok()) << piece;
            EXPECT_TRUE(bench.holds(image)) << piece;
            for (size_t sector = 0; sector < counter.count.size(); ++sector) {
                // The last block may be erased whole, where that is the quicker way.
                const size_t end = policy == ErasePolicy::kBlockAhead
                                       ? round_up<size_t>(image.size(), layout::kBlockSize)
                                       : image.size();
                const uint32_t expected = sector * layout::kSectorSize < end ? 1 : 0;
                EXPECT_EQ(counter.count[sector], expected) << piece << " " << sector;
            }
            EXPECT_EQ(bench.flash.misuses(), 0U);
        }
    }
}

TEST(SlotWriter, ErasesTheLastBlockInTheQuickerWay) {
    const auto erases = [](size_t size) {
        Bench bench(ErasePolicy::kBlockAhead);
        EraseCounter counter;
        bench.flash.set_observer(&counter);
        EXPECT_TRUE(bench.write(random_bytes(size, 5), 4096).ok());
        return std::count(counter.count.begin(), counter.count.end(), 1U);
    };
    EXPECT_EQ(erases(64 * 1024 + 5 * 4096), 16 + 5);   // five sectors: 225 ms
    EXPECT_EQ(erases(64 * 1024 + 6 * 4096), 16 + 16);  // six: 270 ms, the block 250 ms
    EXPECT_EQ(erases(kSlot), static_cast<long>(kSlot / layout::kSectorSize));  // never beyond
}

TEST(FieldCase, B03_no_flash_call_blocks_longer_than_one_erase_unit) {
    const Buffer image = random_bytes(200 * 1024, 4);
    Bench sector(ErasePolicy::kSector);
    EraseCounter small;
    sector.flash.set_observer(&small);
    ASSERT_TRUE(sector.write(image, 4096).ok());
    EXPECT_EQ(small.longest, layout::kSectorSize);
    Bench block(ErasePolicy::kBlockAhead);
    EraseCounter large;
    block.flash.set_observer(&large);
    ASSERT_TRUE(block.write(image, 4096).ok());
    EXPECT_EQ(large.longest, layout::kBlockSize);
}

TEST(FieldCase, B06_sizes_at_the_sector_edge_over_a_used_slot) {
    for (const size_t size : {8193U, 12287U, 12288U, 12289U, 1U, 4095U, 4096U}) {
        Bench bench;
        const Buffer image = random_bytes(size, static_cast<uint32_t>(size));
        ASSERT_TRUE(bench.write(image, 4096).ok()) << size;
        EXPECT_TRUE(bench.holds(image)) << size;
    }
}

TEST(FieldCase, B07_last_bytes_below_the_write_unit) {
    for (size_t rest = 1; rest < 16; ++rest) {
        Bench bench(ErasePolicy::kSector, 16);
        const Buffer image = random_bytes(8192 + 16 + rest, static_cast<uint32_t>(rest));
        ASSERT_TRUE(bench.write(image, 1000).ok()) << rest;
        EXPECT_TRUE(bench.holds(image))
            << rest;  // the sink, and so every digest, sees the true length
        EXPECT_EQ(bench.memory[image.size()], 0xFF) << rest;
        EXPECT_EQ(bench.flash.misuses(), 0U);
    }
}

TEST(FieldCase, B09_large_small_large_over_and_over) {
    Bench bench;
    for (uint32_t round = 0; round < 20; ++round) {
        const Buffer image =
            random_bytes(round % 2 == 0 ? 150000 + round : 9000 + round, round + 1);
        ASSERT_TRUE(bench.write(image, 4096).ok()) << round;
        EXPECT_TRUE(bench.holds(image)) << round;
    }
    EXPECT_EQ(bench.flash.misuses(), 0U);
}

TEST(FieldCase, B12_limit_is_the_slot) {
    Bench bench;
    EXPECT_TRUE(bench.write(random_bytes(kSlot, 1), 4096).ok());
    const uint64_t before = bench.flash.operations();
    EXPECT_TRUE(bench.write(random_bytes(kSlot + 1, 1), 4096).is(Code::kNoSpace));
    EXPECT_EQ(bench.flash.operations(), before);  // refused before anything was touched
}

TEST(SlotWriter, MoreThanAnnouncedIsRefused) {
    Bench bench;
    SlotWriter writer(bench.flash, ErasePolicy::kSector, bench.collector);
    Payload payload;
    payload.size = 100;
    ASSERT_TRUE(writer.prepare(payload, false).ok());
    EXPECT_TRUE(writer.write(random_bytes(101, 1)).is(Code::kMalformed));
    ASSERT_TRUE(writer.write(random_bytes(99, 1)).ok());
    EXPECT_FALSE(writer.finish().ok());
}

TEST(SlotWriter, BlankPagesCostNothing) {
    Bench bench;
    Buffer image = random_bytes(16384, 2);
    std::fill(image.begin() + 4096, image.begin() + 12288, uint8_t{0xFF});
    ASSERT_TRUE(bench.write(image, 4096).ok());
    EXPECT_TRUE(bench.holds(image));
    EXPECT_EQ(bench.flash.operations(), 4U + 32U);  // four erases, 32 of 64 pages
}

TEST(SlotWriter, NoticesFlashThatFails) {
    Bench bench;
    bench.flash.fail_operations(5, 1);
    EXPECT_EQ(bench.write(random_bytes(20000, 1), 4096).detail(), Detail::kFlashProgram);
}

// With flash encryption erased cells read as anything: pages of 0xFF have to be programmed, and
// where the written part ends the cells say.
TEST(SlotWriter, EncryptedFlashHoldsBlankPagesToo) {
    Bench bench(ErasePolicy::kSector, 16);
    bench.flash.encrypt(0, kSlot);
    Buffer image = random_bytes(50000, 1);
    std::fill(image.begin() + 4096, image.begin() + 12288, uint8_t{0xFF});
    ASSERT_TRUE(bench.write(image, 777).ok());
    Buffer back(image.size());
    ASSERT_TRUE(bench.flash.read(0, back).ok());
    EXPECT_TRUE(back == image);
    ASSERT_TRUE(bench.flash.erase(40960, 12288).ok());
    ASSERT_TRUE(bench.write(image, 777, true).ok());
    EXPECT_EQ(bench.resumed_at, 36864U);
    ASSERT_TRUE(bench.flash.read(0, back).ok());
    EXPECT_TRUE(back == image);
}

// A chip that says yes and keeps something else.
class WornFlash final : public Flash {
  public:
    explicit WornFlash(Flash& good) : good_(good) {}
    FlashGeometry geometry() const override { return good_.geometry(); }
    Status read(uint32_t address, MutableBytes out) override {
        OTA_TRY(good_.read(address, out));
        if (address <= kWornAt && kWornAt < address + out.size()) out[kWornAt - address] ^= 0x10;
        return {};
    }
    Result<bool> is_erased(uint32_t address, uint32_t length) override {
        return good_.is_erased(address, length);
    }
    Status program(uint32_t address, Bytes bytes) override { return good_.program(address, bytes); }
    Status erase(uint32_t address, uint32_t length) override {
        return good_.erase(address, length);
    }
    static constexpr uint32_t kWornAt = 9999;

  private:
    Flash& good_;
};

TEST(SlotWriter, NoticesFlashThatDoesNotHold) {
    std::vector<uint8_t> memory(kSlot, 0xFF);
    FlashModel model(memory);
    WornFlash worn(model);
    Collector collector;
    SlotWriter writer(worn, ErasePolicy::kSector, collector);
    const Buffer image = random_bytes(20000, 1);
    Payload payload;
    payload.size = image.size();
    ASSERT_TRUE(writer.prepare(payload, false).ok());
    const Status status = writer.write(image);
    EXPECT_EQ(status.detail(), Detail::kReadBackDiffers);
    EXPECT_TRUE(status.is(Code::kStorage));
}

// After a cut at any operation: resume finds the right place, nothing durable is written again, and
// the slot ends with the image.
TEST(SlotWriter, ResumesAfterACutAtEveryOperation) {
    Buffer image = random_bytes(90 * 1024 + 5, 9);
    std::fill(image.begin() + 30000, image.begin() + 50000, uint8_t{0xFF});  // blank sectors inside
    for (const ErasePolicy policy : {ErasePolicy::kSector, ErasePolicy::kBlockAhead}) {
        Bench counting(policy);
        ASSERT_TRUE(counting.write(image, 4096).ok());
        const uint64_t total = counting.flash.operations();
        for (const CutKind kind :
             {CutKind::kClean, CutKind::kTornBytes, CutKind::kTornBits, CutKind::kHalfErased}) {
            for (uint64_t cut = 2; cut <= total;
                 ++cut) {  // operation 1 erases what a record then speaks of
                Bench bench(policy);
                bench.flash.cut_at(cut, kind, static_cast<uint32_t>(cut));
                ASSERT_FALSE(bench.write(image, 4096).ok());
                bench.flash.power_on();
                ASSERT_TRUE(bench.write(image, 4096, true).ok()) << cut;
                ASSERT_TRUE(bench.holds(image)) << cut;
                ASSERT_EQ(bench.flash.misuses(), 0U) << cut;
            }
        }
    }
}

TEST(SlotWriter, ResumeLosesLessThanTwoSectors) {
    const Buffer image = random_bytes(90 * 1024, 9);
    Bench bench(ErasePolicy::kBlockAhead);
    bench.flash.cut_at(300, CutKind::kTornBytes, 1);
    ASSERT_FALSE(bench.write(image, 4096).ok());
    bench.flash.power_on();
    const uint64_t durable = bench.collector.seen.size();
    ASSERT_TRUE(bench.write(image, 4096, true).ok());
    EXPECT_GT(bench.resumed_at + 2 * layout::kSectorSize, durable);
    EXPECT_LE(bench.resumed_at, durable);
}

}  // namespace
}  // namespace ota
