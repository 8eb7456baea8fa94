// The FileStore contract on a real directory.
#include "posix/directory_store.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "sources/file/file_channel.hpp"

namespace ota {
namespace {

class DirectoryStoreTest : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/bess-store-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        root_ = name;
        card_ = root_ + "/card";
        ASSERT_EQ(mkdir(card_.c_str(), 0755), 0);
        write("Bess.bin", "0123456789");
        ASSERT_EQ(mkdir((card_ + "/folder").c_str(), 0755), 0);
    }
    void TearDown() override {
        const std::string command = "rm -rf '" + root_ + "'";
        ASSERT_EQ(std::system(command.c_str()), 0);
    }
    void write(const std::string& name, const std::string& text) {
        std::ofstream(card_ + "/" + name) << text;
    }
    std::string root_;
    std::string card_;
};

TEST_F(DirectoryStoreTest, ListsRegularFilesOnly) {
    DirectoryStore store("/sdcard", card_);
    FixedString<kMaxFileName> name;
    ASSERT_TRUE(store.next("/sdcard", true, name).ok());
    EXPECT_STREQ(name.c_str(), "Bess.bin");
    EXPECT_TRUE(store.next("/sdcard", false, name).is(Code::kEndOfData));
}

// So that the application may unmount.
TEST_F(DirectoryStoreTest, NothingIsInUseAfterALook) {
    const auto in_use = [] {
        size_t count = 0;
        for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
            count += entry.path().empty() ? 0 : 1;
        }
        return count;
    };
    DirectoryStore store("/sdcard", card_);
    FileChannel channel(store, "/sdcard/*.bin");
    const size_t before = in_use();
    (void)channel.arrived();
    EXPECT_EQ(in_use(), before);
    AttemptRecord attempt;
    attempt.version.assign("1.0.0");
    channel.report({attempt, RevertReason::kNone, "{}"});
    EXPECT_EQ(in_use(), before);
    ASSERT_TRUE(store.open("/sdcard/BESS.BIN").ok());
    store.close();
    EXPECT_EQ(in_use(), before);
}

TEST_F(DirectoryStoreTest, OpensWithoutRegardToCase) {
    DirectoryStore store("/sdcard", card_);
    ASSERT_TRUE(store.open("/sdcard/BESS.BIN").ok());
    FileStat stat;
    ASSERT_TRUE(store.stat(stat).ok());
    EXPECT_EQ(stat.size, 10U);
    std::array<uint8_t, 8> bytes;
    EXPECT_EQ(*store.read_at(8, bytes), 2U);
    EXPECT_EQ(bytes[0], '8');
    EXPECT_EQ(*store.read_at(10, bytes), 0U);
}

TEST_F(DirectoryStoreTest, StaysBelowTheMountPoint) {
    DirectoryStore store("/sdcard", card_);
    for (const char* path :
         {"/sdcard/../secret", "/etc/passwd", "/sdcardx/Bess.bin", "/sdcard/none.bin"}) {
        EXPECT_EQ(store.open(path).detail(), Detail::kFileNotFound) << path;
    }
}

TEST_F(DirectoryStoreTest, AMissingDirectoryIsAnAbsentCard) {
    DirectoryStore store("/sdcard", card_);
    ASSERT_TRUE(store.open("/sdcard/Bess.bin").ok());
    ASSERT_EQ(rename(card_.c_str(), (card_ + ".out").c_str()), 0);
    FileStat stat;
    FixedString<kMaxFileName> name;
    EXPECT_EQ(store.stat(stat).detail(), Detail::kMediumAbsent);
    EXPECT_EQ(store.next("/sdcard", true, name).detail(), Detail::kMediumAbsent);
    EXPECT_EQ(store.open("/sdcard/Bess.bin").detail(), Detail::kMediumAbsent);
}

TEST_F(DirectoryStoreTest, AReplacedFileIsNoticed) {
    DirectoryStore store("/sdcard", card_);
    ASSERT_TRUE(store.open("/sdcard/Bess.bin").ok());
    FileStat before;
    ASSERT_TRUE(store.stat(before).ok());
    ASSERT_EQ(unlink((card_ + "/Bess.bin").c_str()), 0);
    write("Bess.bin", "something else");
    FileStat after;
    ASSERT_TRUE(store.stat(after).ok());
    EXPECT_FALSE(before == after);
}

}  // namespace
}  // namespace ota
