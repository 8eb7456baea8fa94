#include "linux/flash_model.hpp"

#include <vector>

#include "support/test.hpp"

namespace ota {
namespace {

struct Bench {
    explicit Bench(uint32_t write_unit = 1) : memory(128 * 1024, 0xFF), flash(memory, write_unit) {}
    std::vector<uint8_t> memory;
    FlashModel flash;
};

TEST(FlashModel, ProgramsOnlyClearBits) {
    Bench bench;
    const std::array<uint8_t, 2> first = {0xF0, 0x0F};
    const std::array<uint8_t, 2> second = {0xFF, 0x00};
    ASSERT_TRUE(bench.flash.program(0, first).ok());
    EXPECT_EQ(bench.flash.program(0, second).detail(), Detail::kNotErased);
    EXPECT_EQ(bench.flash.misuses(), 1U);
    EXPECT_EQ(bench.memory[0], 0xF0);
    ASSERT_TRUE(bench.flash.erase(0, 4096).ok());
    EXPECT_TRUE(bench.flash.program(0, second).ok());
}

TEST(FlashModel, RefusesMisalignmentAndOverruns) {
    Bench bench(16);
    std::array<uint8_t, 32> bytes{};
    EXPECT_FALSE(bench.flash.program(8, Bytes(bytes).first(16)).ok());
    EXPECT_FALSE(bench.flash.program(0, Bytes(bytes).first(15)).ok());
    EXPECT_FALSE(bench.flash.erase(100, 4096).ok());
    EXPECT_FALSE(bench.flash.erase(0, 100).ok());
    EXPECT_FALSE(bench.flash.program(128 * 1024 - 16, bytes).ok());
    EXPECT_FALSE(bench.flash.read(128 * 1024, bytes).ok());
    EXPECT_FALSE(bench.flash.erase(0xFFFFF000, 0x2000).ok());
    EXPECT_EQ(bench.flash.operations(), 0U);
}

TEST(FlashModel, OnePageOrOneEraseIsOneOperation) {
    Bench bench;
    const std::vector<uint8_t> bytes(600, 0);
    ASSERT_TRUE(
        bench.flash.program(200, bytes).ok());  // pages 200..255, 256..511, 512..767, 768..799
    EXPECT_EQ(bench.flash.operations(), 4U);
    ASSERT_TRUE(bench.flash.erase(0, 128 * 1024).ok());
    EXPECT_EQ(bench.flash.operations(), 6U);
}

TEST(FlashModel, AfterACutNothingWorksUntilPowerReturns) {
    for (const CutKind kind :
         {CutKind::kClean, CutKind::kTornBytes, CutKind::kTornBits, CutKind::kHalfErased}) {
        Bench bench;
        const std::vector<uint8_t> bytes(256, 0x00);
        bench.flash.cut_at(2, kind, 7);
        ASSERT_TRUE(bench.flash.program(0, bytes).ok());
        EXPECT_EQ(bench.flash.program(256, bytes).detail(), Detail::kPowerOff);
        std::array<uint8_t, 1> byte;
        EXPECT_EQ(bench.flash.read(0, byte).detail(), Detail::kPowerOff);
        EXPECT_EQ(bench.flash.erase(0, 4096).detail(), Detail::kPowerOff);
        const bool untouched = is_blank(Bytes(bench.memory).subspan(256, 256));
        EXPECT_EQ(untouched, kind == CutKind::kClean);
        bench.flash.power_on();
        EXPECT_TRUE(bench.flash.erase(0, 4096).ok());
    }
}

TEST(FlashModel, ATornEraseIsNeitherOldNorBlank) {
    for (const CutKind kind : {CutKind::kTornBytes, CutKind::kTornBits, CutKind::kHalfErased}) {
        Bench bench;
        std::fill(bench.memory.begin(), bench.memory.end(), uint8_t{0});
        bench.flash.cut_at(1, kind, 3);
        EXPECT_FALSE(bench.flash.erase(0, 4096).ok());
        const Bytes sector = Bytes(bench.memory).first(4096);
        EXPECT_FALSE(is_blank(sector));
        EXPECT_TRUE(std::any_of(sector.begin(), sector.end(), [](uint8_t b) { return b != 0; }));
    }
}

TEST(FlashModel, UnstableBitsChangeFromReadToReadUntilTheyAreErased) {
    std::vector<uint8_t> memory(0x10000, 0xFF);
    FlashModel flash(memory);
    const std::vector<uint8_t> page(256, 0x00);
    flash.cut_at(1, CutKind::kUnstable, 7);
    EXPECT_FALSE(flash.program(0x1000, page).ok());
    flash.power_on();
    std::vector<uint8_t> first(256);
    std::vector<uint8_t> second(256);
    ASSERT_TRUE(flash.read(0x1000, first).ok());
    ASSERT_TRUE(flash.read(0x1000, second).ok());
    EXPECT_FALSE(first == second);
    ASSERT_TRUE(flash.read(0x1100, first).ok());  // the page behind it is steady
    EXPECT_TRUE(is_blank(first));
    EXPECT_TRUE(flash.program(0x1000, page).ok());  // nobody can know that it is not blank
    EXPECT_EQ(flash.misuses(), 0U);
    ASSERT_TRUE(flash.erase(0x1000, 0x1000).ok());
    ASSERT_TRUE(flash.read(0x1000, first).ok());
    EXPECT_TRUE(is_blank(first));
    // An erase that was cut.
    std::fill(memory.begin(), memory.end(), uint8_t{0});
    flash.cut_at(1, CutKind::kUnstable, 9);
    EXPECT_FALSE(flash.erase(0x2000, 0x1000).ok());
    flash.power_on();
    ASSERT_TRUE(flash.read(0x2F00, first).ok());
    ASSERT_TRUE(flash.read(0x2F00, second).ok());
    EXPECT_FALSE(first == second);
}

TEST(FlashModel, SameSeedSameTear) {
    const auto torn = [](uint32_t seed) {
        Bench bench;
        bench.flash.cut_at(1, CutKind::kTornBits, seed);
        EXPECT_FALSE(bench.flash.program(0, std::vector<uint8_t>(256, 0)).ok());
        return bench.memory;
    };
    EXPECT_TRUE(torn(5) == torn(5));
    EXPECT_FALSE(torn(5) == torn(6));
}

}  // namespace
}  // namespace ota
