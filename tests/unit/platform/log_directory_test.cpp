// Log files in a real directory.
#include "posix/log_directory.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace ota {
namespace {

namespace fs = std::filesystem;

struct LogDirectoryTest : testing::Test {
    LogDirectoryTest() {
        root = fs::temp_directory_path() / ("log_directory_" + std::to_string(getpid()));
        fs::create_directory(root);
        host = root.string();
        store.emplace("/sdcard", host);
        EXPECT_TRUE(store->set_directory("/sdcard/log"));
    }
    ~LogDirectoryTest() override {
        store.reset();
        fs::remove_all(root);
    }
    LogStore::Range range() {
        LogStore::Range out;
        EXPECT_TRUE(store->range(out).ok());
        return out;
    }
    std::string content(const char* name) {
        std::ifstream in(root / "log" / name);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    fs::path root;
    std::string host;
    std::optional<LogDirectory> store;
};

TEST_F(LogDirectoryTest, FilesGrowAndGo) {
    EXPECT_EQ(range().newest, 0U);
    ASSERT_TRUE(store->open(7).ok());
    EXPECT_TRUE(store->append(as_bytes("one\n")).ok());
    EXPECT_TRUE(store->sync().ok());
    ASSERT_TRUE(store->open(8).ok());
    EXPECT_TRUE(store->append(as_bytes("two\n")).ok());
    EXPECT_EQ(range().oldest, 7U);
    EXPECT_EQ(range().newest, 8U);
    EXPECT_EQ(*store->open(7), 4U);
    EXPECT_TRUE(store->append(as_bytes("more\n")).ok());
    EXPECT_EQ(content("ota00007.log"), "one\nmore\n");
    EXPECT_TRUE(store->remove(7).ok());
    EXPECT_EQ(range().oldest, 8U);
    EXPECT_FALSE(store->remove(7).ok());
}

TEST_F(LogDirectoryTest, OtherFilesAreNotOurs) {
    fs::create_directory(root / "log");
    for (const char* name : {"ota1.log", "ota00001.txt", "otaxxxxx.log", "notes.txt",
                             "OTA00003.LOG", "ota00000.log", "xota00004.log"}) {
        std::ofstream(root / "log" / name) << "x";
    }
    EXPECT_EQ(range().oldest, 3U);
    EXPECT_EQ(range().newest, 3U);
}

TEST_F(LogDirectoryTest, DirectoriesOffTheCardAreRefused) {
    for (const char* directory : {"/sdcardx/log", "/etc", "sdcard", "/sdcard/../etc", ""}) {
        EXPECT_FALSE(store->set_directory(directory)) << directory;
    }
    const std::string deep = "/sdcard/" + std::string(kMaxConfiguredPath, 'x');
    EXPECT_FALSE(store->set_directory(deep));
    EXPECT_TRUE(store->set_directory("/sdcard"));
}

TEST_F(LogDirectoryTest, ACardThatIsPulledIsNoticed) {
    (void)range();
    ASSERT_TRUE(store->open(1).ok());
    fs::rename(root, root.string() + ".pulled");
    EXPECT_EQ(store->append(as_bytes("x")).detail(), Detail::kMediumAbsent);
    LogStore::Range out;
    EXPECT_EQ(store->range(out).detail(), Detail::kMediumAbsent);
    EXPECT_FALSE(store->open(1).ok());
    fs::rename(root.string() + ".pulled", root);
    EXPECT_TRUE(store->open(1).ok());
}

// A file whose name is not durable yet is not said to be: the process has no descriptor left.
TEST_F(LogDirectoryTest, NamesThatCouldNotBeSyncedAreTriedAgain) {
    EXPECT_EQ(range().newest, 0U);
    ASSERT_TRUE(store->open(1).ok());
    ASSERT_TRUE(store->append(as_bytes("one\n")).ok());
    const int unused = dup(STDERR_FILENO);
    ASSERT_GE(unused, 0);
    close(unused);
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit none = before;
    none.rlim_cur = static_cast<rlim_t>(unused);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    const bool was_synced = store->sync().ok();
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_FALSE(was_synced);
    EXPECT_TRUE(store->sync().ok());
}

TEST_F(LogDirectoryTest, AFullCardIsAFailure) {
    if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
    fs::create_directory(root / "log");
    fs::create_symlink("/dev/full", root / "log" / "ota00001.log");
    EXPECT_FALSE(store->open(1).ok());  // a link is not followed, whoever made it
    fs::remove(root / "log" / "ota00001.log");
    fs::create_directory(root / "log" / "ota00002.log");
    EXPECT_EQ(store->open(2).status().detail(), Detail::kFileWriteError);
    EXPECT_FALSE(store->append(as_bytes("x")).ok());
    EXPECT_FALSE(store->sync().ok());
}

}  // namespace
}  // namespace ota
