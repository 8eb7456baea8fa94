// Every file call and every allocation of a look at the card fails once.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "faults/failing_calls.hpp"
#include "posix/directory_store.hpp"
#include "sources/file/file_channel.hpp"
#include "sources/file/file_source.hpp"

namespace ota {
namespace {

using faults::Group;

struct Card {
    Card() {
        EXPECT_NE(mkdtemp(path.data()), nullptr);
        write(".bin", std::string(5000, 'x'));
        write(".bin.md5", std::string(32, '0'));
    }
    ~Card() {
        (void)unlink((path + "/bess.bin").c_str());
        (void)unlink((path + "/bess.bin.md5").c_str());
        (void)unlink((path + "/bess.bin.result.json").c_str());
        (void)unlink((path + "/bess.bin.result.json.new").c_str());
        EXPECT_EQ(rmdir(path.c_str()), 0);  // nothing else was left there
    }
    void write(const char* ending, const std::string& text) const {
        std::ofstream(path + "/bess" + ending) << text;
    }
    std::string read(const char* ending) const {
        std::ifstream file(path + "/bess" + ending);
        return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    }
    std::string path = "/tmp/bess-faults-XXXXXX";
};

// Finds the package, reads it, writes its result. The first failure, or ok.
Status look(FileChannel& channel, FileSource& source, size_t& bytes) {
    channel.rewind();
    Offer offer;
    OTA_TRY_ASSIGN(const bool found, channel.poll(offer));
    if (!found) return {Code::kNoUpdate, Origin::kSource};
    OTA_TRY(source.start({offer.where, 0, kToEnd, {}}));
    std::array<uint8_t, 1024> buffer;
    bytes = 0;
    while (true) {
        const Result<size_t> n = source.read(buffer);
        if (n.status().is(Code::kEndOfData)) break;
        if (!n.ok()) return n.status();
        bytes += *n;
    }
    source.close();
    AttemptRecord attempt;
    attempt.version.assign("1.0.0");
    channel.report({attempt, RevertReason::kNone, "{}\n"});
    return {};
}

void check_each(Group group) {
    const Card card;
    DirectoryStore store("/sdcard", card.path.c_str());
    FileChannel channel(store, "/sdcard/bess*.bin");
    FileSource source(store);
    size_t bytes = 0;
    ASSERT_TRUE(look(channel, source, bytes).ok());
    faults::fail(group, 0);
    (void)look(channel, source, bytes);
    const size_t calls = faults::stop();
    ASSERT_GT(calls, 0U);
    for (size_t n = 1; n <= calls; ++n) {
        faults::fail(group, n);
        const Status status = look(channel, source, bytes);
        (void)faults::stop();
        source.close();
        const std::string result = card.read(".bin.result.json");
        EXPECT_TRUE(result.empty() || result == "{}\n") << n;
        // Told, or without effect: the whole file, or no file by that name.
        EXPECT_TRUE(!status.ok() || bytes == 5000) << n;
        EXPECT_TRUE(look(channel, source, bytes).ok()) << n;
        EXPECT_EQ(bytes, 5000U) << n;
        // The result is whole, old or new; nothing half is left beside it.
        EXPECT_EQ(card.read(".bin.result.json"), "{}\n") << n;
        EXPECT_EQ(card.read(".bin.result.json.new"), "") << n;
    }
    std::printf("calls %zu\n", calls);
}

TEST(StoreFault, EveryFileCall) {
    check_each(Group::kFile);
}

// Replacing takes a removal more; whatever of it fails, the next result replaces.
TEST(StoreFault, EveryFileCallOnFat) {
    faults::rename_never_replaces(true);
    check_each(Group::kFile);
    faults::rename_never_replaces(false);
}

TEST(StoreFault, EveryAllocation) {
    check_each(Group::kAllocation);
}

}  // namespace
}  // namespace ota
