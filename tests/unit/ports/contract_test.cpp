// What every implementation of a port has to do: the fakes of the tests and the adapters of the
// twin run through the same checks, so that a test against a fake says something about the product.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "linux/flash_model.hpp"
#include "linux/threads.hpp"
#include "ports/flash_region.hpp"
#include "posix/directory_store.hpp"
#include "support/fakes.hpp"

namespace ota {
namespace {

// ---------------------------------------------------------------- FileStore

// store holds one file, /sdcard/bess.bin, with the bytes "0123456789".
void check_file_store(FileStore& store) {
    FixedString<kMaxFileName> name;
    ASSERT_TRUE(store.next("/sdcard", true, name).ok());
    EXPECT_STREQ(name.c_str(), "bess.bin");
    EXPECT_TRUE(store.next("/sdcard", false, name).is(Code::kEndOfData));

    const Status missing = store.open("/sdcard/none.bin");
    EXPECT_TRUE(missing.is(Code::kUnavailable));
    EXPECT_EQ(missing.detail(), Detail::kFileNotFound);
    std::array<uint8_t, 4> bytes{};
    EXPECT_FALSE(store.read_at(0, bytes).ok());  // nothing is open

    ASSERT_TRUE(store.open("/sdcard/bess.bin").ok());
    FileStat stat;
    ASSERT_TRUE(store.stat(stat).ok());
    EXPECT_EQ(stat.size, 10U);
    FileStat again;
    ASSERT_TRUE(store.stat(again).ok());
    EXPECT_TRUE(stat == again);
    EXPECT_EQ(*store.read_at(4, bytes), 4U);
    EXPECT_EQ(bytes[0], '4');
    EXPECT_EQ(*store.read_at(8, bytes), 2U);  // short at the end
    EXPECT_EQ(*store.read_at(10, bytes), 0U);
    ASSERT_TRUE(store.open("/sdcard/bess.bin").ok());  // one at a time: the earlier one is closed
    store.close();
    store.close();
    EXPECT_FALSE(store.stat(stat).ok());

    const std::string_view longer = "a result";
    ASSERT_TRUE(store.replace("/sdcard/bess.json", as_bytes("first, and longer")).ok());
    ASSERT_TRUE(store.replace("/sdcard/bess.json", as_bytes(longer)).ok());
    ASSERT_TRUE(store.open("/sdcard/bess.json").ok());
    std::array<uint8_t, 32> text{};
    ASSERT_EQ(*store.read_at(0, text), longer.size());
    EXPECT_EQ(std::memcmp(text.data(), longer.data(), longer.size()), 0);
    store.close();
}

void check_absent(FileStore& store) {
    FixedString<kMaxFileName> name;
    EXPECT_EQ(store.next("/sdcard", true, name).detail(), Detail::kMediumAbsent);
    EXPECT_EQ(store.open("/sdcard/bess.bin").detail(), Detail::kMediumAbsent);
    EXPECT_TRUE(store.replace("/sdcard/bess.json", as_bytes("x")).is(Code::kUnavailable));
}

TEST(FileStoreContract, Fake) {
    test::FakeFileStore store;
    const std::string text = "0123456789";
    store.files = {{"bess.bin", test::Buffer(text.begin(), text.end())}};
    check_file_store(store);
    store.inserted = false;
    check_absent(store);
}

TEST(FileStoreContract, Directory) {
    char name[] = "/tmp/bess-contract-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    const std::string file = std::string(name) + "/bess.bin";
    std::ofstream(file) << "0123456789";
    DirectoryStore store("/sdcard", name);
    check_file_store(store);
    ASSERT_EQ(unlink(file.c_str()), 0);
    ASSERT_EQ(unlink((std::string(name) + "/bess.json").c_str()), 0);
    ASSERT_EQ(rmdir(name), 0);
    check_absent(store);
}

// ---------------------------------------------------------------- Mailbox

void check_mailbox(Mailbox& mailbox) {
    Command command;
    EXPECT_FALSE(*mailbox.take(command, 0));
    for (int i = 0; i < 8; ++i) {
        command.kind = CommandKind::kSetThresholds;
        command.thresholds.min_soc_percent = i;
        ASSERT_TRUE(mailbox.post(command).ok()) << i;
    }
    EXPECT_TRUE(mailbox.post(command).is(Code::kNoSpace));
    for (int i = 0; i < 8; ++i) {
        ASSERT_TRUE(*mailbox.take(command, 0));
        EXPECT_EQ(command.thresholds.min_soc_percent, i);
    }
    EXPECT_FALSE(*mailbox.take(command, 0));
}

TEST(MailboxContract, Fake) {
    test::FakeMailbox mailbox;
    check_mailbox(mailbox);
}

TEST(MailboxContract, Threads) {
    ThreadMailbox mailbox;
    check_mailbox(mailbox);
}

// ---------------------------------------------------------------- Flash

void check_flash(Flash& flash) {
    const FlashGeometry geometry = flash.geometry();
    ASSERT_EQ(geometry.size % geometry.sector_size, 0U);
    ASSERT_TRUE(flash.erase(0, geometry.size).ok());
    std::vector<uint8_t> bytes(600, 0xA5);
    ASSERT_TRUE(flash.program(geometry.size - 600, bytes).ok());
    std::vector<uint8_t> back(600);
    ASSERT_TRUE(flash.read(geometry.size - 600, back).ok());
    EXPECT_TRUE(back == bytes);
    // Outside: refused whole.
    EXPECT_TRUE(flash.read(geometry.size - 1, back).is(Code::kOutOfRange));
    EXPECT_TRUE(flash.program(geometry.size, bytes).is(Code::kOutOfRange));
    EXPECT_TRUE(flash.erase(geometry.size, geometry.sector_size).is(Code::kOutOfRange));
    EXPECT_TRUE(flash.erase(0xFFFFF000, 0x2000).is(Code::kOutOfRange));
    // One sector is one sector.
    ASSERT_TRUE(flash.program(0, Bytes(bytes).first(4)).ok());
    ASSERT_TRUE(flash.erase(geometry.size - geometry.sector_size, geometry.sector_size).ok());
    ASSERT_TRUE(flash.read(0, MutableBytes(back).first(4)).ok());
    EXPECT_EQ(back[3], 0xA5);
    ASSERT_TRUE(flash.read(geometry.size - 600, back).ok());
    EXPECT_TRUE(is_blank(back));
}

TEST(FlashContract, Model) {
    std::vector<uint8_t> memory(0x20000);
    FlashModel flash(memory);
    check_flash(flash);
}

TEST(FlashContract, Region) {
    std::vector<uint8_t> memory(0x40000, 0x33);
    FlashModel flash(memory);
    FlashRegion region(flash, 0x10000, 0x20000);
    check_flash(region);
    EXPECT_TRUE(
        std::all_of(memory.begin(), memory.begin() + 0x10000, [](uint8_t b) { return b == 0x33; }));
    EXPECT_TRUE(
        std::all_of(memory.begin() + 0x30000, memory.end(), [](uint8_t b) { return b == 0x33; }));
}

}  // namespace
}  // namespace ota
