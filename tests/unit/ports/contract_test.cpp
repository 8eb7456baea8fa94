// What every implementation of a port has to do: the fakes of the tests and the adapters of the
// twin run through the same checks, so that a test against a fake says something about the product.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "contracts/file_store.hpp"
#include "contracts/flash.hpp"
#include "contracts/mailbox.hpp"
#include "linux/flash_model.hpp"
#include "linux/threads.hpp"
#include "ports/flash_region.hpp"
#include "posix/directory_store.hpp"
#include "support/fakes.hpp"

namespace ota {
namespace {

// ---------------------------------------------------------------- FileStore

TEST(FileStoreContract, Fake) {
    test::FakeFileStore store;
    const std::string text = "0123456789";
    store.files = {{"bess.bin", test::Buffer(text.begin(), text.end())}};
    contract::check_file_store(store);
    store.inserted = false;
    contract::check_absent(store);
}

TEST(FileStoreContract, Directory) {
    char name[] = "/tmp/bess-contract-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    const std::string file = std::string(name) + "/bess.bin";
    std::ofstream(file) << "0123456789";
    DirectoryStore store("/sdcard", name);
    contract::check_file_store(store);
    ASSERT_EQ(unlink(file.c_str()), 0);
    ASSERT_EQ(unlink((std::string(name) + "/bess.json").c_str()), 0);
    ASSERT_EQ(rmdir(name), 0);
    contract::check_absent(store);
}

// ---------------------------------------------------------------- Mailbox

TEST(MailboxContract, Fake) {
    test::FakeMailbox mailbox;
    contract::check_mailbox(mailbox);
}

TEST(MailboxContract, Threads) {
    ThreadMailbox mailbox;
    contract::check_mailbox(mailbox);
}

// ---------------------------------------------------------------- Flash

TEST(FlashContract, Model) {
    std::vector<uint8_t> memory(0x20000);
    FlashModel flash(memory);
    contract::check_flash(flash);
}

TEST(FlashContract, Region) {
    std::vector<uint8_t> memory(0x40000, 0x33);
    FlashModel flash(memory);
    FlashRegion region(flash, 0x10000, 0x20000);
    contract::check_flash(region);
    EXPECT_TRUE(
        std::all_of(memory.begin(), memory.begin() + 0x10000, [](uint8_t b) { return b == 0x33; }));
    EXPECT_TRUE(
        std::all_of(memory.begin() + 0x30000, memory.end(), [](uint8_t b) { return b == 0x33; }));
}

}  // namespace
}  // namespace ota
