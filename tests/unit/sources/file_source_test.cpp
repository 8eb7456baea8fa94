#include "sources/file/file_source.hpp"

#include "sources/file/file_channel.hpp"
#include "sources/file/name_match.hpp"
#include "support/fakes.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

using test::Buffer;
using test::FakeFileStore;

Buffer content(size_t size) {
    Buffer bytes(size);
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * 7);
    return bytes;
}

Buffer text(const char* words) {
    return {words, words + std::strlen(words)};
}

TEST(NameMatch, IgnoresCaseAndKnowsPatterns) {
    EXPECT_TRUE(name_matches("bess_update.bin", "BESS_UPDATE.BIN"));
    EXPECT_TRUE(name_matches("bess*.bin", "bess-1.2.3.bin"));
    EXPECT_TRUE(name_matches("b??s*", "BESS"));
    EXPECT_FALSE(name_matches("bess*.bin", "bess.txt"));
    EXPECT_FALSE(name_matches("bess", "bess2"));
    EXPECT_TRUE(name_matches("*", "x"));
    EXPECT_FALSE(name_matches("?", ""));
    EXPECT_TRUE(name_matches("*a*b*c*", "xxaxxbxxcxx"));
    EXPECT_FALSE(name_matches("*a*b*c*", "xxaxxcxxbxx"));
}

TEST(FieldCase, H02_the_alias_of_a_long_name_is_found) {
    EXPECT_TRUE(name_matches("bess_update.bin", "BESS_U~1.BIN"));
    EXPECT_TRUE(name_matches("bess_update.bin", "bess_~12.bin"));
    EXPECT_TRUE(name_matches("my bess.update.bin", "MYBESS~1.BIN"));
    EXPECT_TRUE(name_matches("a+b=c_long.binary", "A_B_C_~3.BIN"));
    EXPECT_FALSE(name_matches("bess_update.bin", "TOAST_~1.BIN"));
    EXPECT_FALSE(name_matches("bess_update.bin", "BESS_U~1.TXT"));
    EXPECT_FALSE(name_matches("bess_update.bin", "BESS_U~X.BIN"));
    EXPECT_FALSE(name_matches("bess_update.bin", "~1.BIN"));
}

TEST(NameMatch, OrdersVersionsNaturally) {
    EXPECT_TRUE(natural_less("bess-1.9.0.bin", "bess-1.10.0.bin"));
    EXPECT_FALSE(natural_less("bess-1.10.0.bin", "bess-1.9.0.bin"));
    EXPECT_TRUE(natural_less("a2", "B1"));
    EXPECT_TRUE(natural_less("a", "ab"));
    EXPECT_FALSE(natural_less("a007", "a7"));
    EXPECT_FALSE(natural_less("x", "x"));
}

TEST(FileChannel, OffersTheGreatestNameFirst) {
    FakeFileStore store;
    store.files = {{"bess-1.9.0.bin", {}},
                   {"readme.txt", {}},
                   {"bess-1.10.0.bin", {}},
                   {"bess-1.10.0.bin.sha256", {}}};
    FileChannel channel(store, "/sdcard/bess*");
    Offer offer;
    ASSERT_TRUE(*channel.poll(offer));
    EXPECT_TRUE(offer.where.uri == "/sdcard/bess-1.10.0.bin");
    ASSERT_TRUE(*channel.poll(offer));
    EXPECT_TRUE(offer.where.uri == "/sdcard/bess-1.9.0.bin");
    EXPECT_FALSE(*channel.poll(offer));
    channel.rewind();
    ASSERT_TRUE(*channel.poll(offer));
    EXPECT_TRUE(offer.where.uri == "/sdcard/bess-1.10.0.bin");
}

TEST(FileChannel, NothingThereIsNoFault) {
    FakeFileStore store;
    FileChannel channel(store, "/sdcard/bess.bin");
    Offer offer;
    EXPECT_TRUE(channel.poll(offer).status().is(Code::kNoUpdate));
    store.inserted = false;
    const Status absent = channel.poll(offer).status();
    EXPECT_TRUE(absent.is(Code::kNoUpdate));
    EXPECT_EQ(absent.detail(), Detail::kMediumAbsent);
}

TEST(FileChannel, TellsOnceThatACardWasInserted) {
    FakeFileStore store;
    FileChannel channel(store, "/sdcard/bess.bin");
    EXPECT_FALSE(channel.arrived());  // was in when the firmware started
    store.inserted = false;
    EXPECT_FALSE(channel.arrived());
    store.inserted = true;
    EXPECT_TRUE(channel.arrived());
    EXPECT_FALSE(channel.arrived());
}

TEST(FileSource, ReadsEverythingFromAnyOffset) {
    FakeFileStore store;
    store.files = {{"bess.bin", content(10000)}};
    FileSource source(store);
    for (const uint64_t offset : {0U, 1U, 4096U, 9999U, 10000U}) {
        ASSERT_TRUE(source.start({{"/sdcard/bess.bin"}, offset, kToEnd, {}}).ok());
        uint64_t position = offset;
        std::array<uint8_t, 4096> chunk;
        while (true) {
            const Result<size_t> n = source.read(chunk);
            if (!n.ok()) {
                EXPECT_TRUE(n.status().is(Code::kEndOfData));
                break;
            }
            ASSERT_NE(*n, 0U);
            EXPECT_TRUE(
                std::equal(chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(*n),
                           store.files[0].bytes.begin() + static_cast<std::ptrdiff_t>(position)));
            position += *n;
        }
        EXPECT_EQ(position, 10000U);
    }
    source.close();
    EXPECT_EQ(store.open_files, 0);
}

TEST(FileSource, IdentityFollowsNameSizeAndTime) {
    FakeFileStore store;
    store.files = {{"a.bin", content(100)}, {"b.bin", content(100)}};
    FileSource source(store);
    SourceInfo first;
    SourceInfo other;
    ASSERT_TRUE(source.start({{"/sdcard/a.bin"}, 0, kToEnd, {}}).ok());
    ASSERT_TRUE(source.info(first).ok());
    ASSERT_TRUE(source.start({{"/sdcard/a.bin"}, 50, kToEnd, {}}).ok());
    ASSERT_TRUE(source.info(other).ok());
    EXPECT_TRUE(first.identity == other.identity);
    store.files[0].modified = 2;
    ASSERT_TRUE(source.start({{"/sdcard/a.bin"}, 0, kToEnd, {}}).ok());
    ASSERT_TRUE(source.info(other).ok());
    EXPECT_FALSE(first.identity == other.identity);
    ASSERT_TRUE(source.start({{"/sdcard/b.bin"}, 0, kToEnd, {}}).ok());
    ASSERT_TRUE(source.info(other).ok());
    EXPECT_FALSE(first.identity == other.identity);
}

TEST(FileSource, AFileThatChangesIsRefused) {
    FakeFileStore store;
    store.files = {{"a.bin", content(10000)}};
    FileSource source(store);
    std::array<uint8_t, 100> chunk;
    ASSERT_TRUE(source.start({{"/sdcard/a.bin"}, 0, kToEnd, {}}).ok());
    ASSERT_TRUE(source.read(chunk).ok());
    store.files[0].modified = 9;
    EXPECT_EQ(source.read(chunk).status().detail(), Detail::kFileChanged);
    store.files[0].modified = 1;
    store.files[0].bytes.resize(9000);
    EXPECT_EQ(source.read(chunk).status().detail(), Detail::kFileChanged);
}

TEST(FileSource, AVanishedCardMayComeBack) {
    FakeFileStore store;
    store.files = {{"a.bin", content(10000)}};
    FileSource source(store);
    std::array<uint8_t, 100> chunk;
    ASSERT_TRUE(source.start({{"/sdcard/a.bin"}, 0, kToEnd, {}}).ok());
    store.inserted = false;
    EXPECT_TRUE(source.read(chunk).status().is(Code::kUnavailable));
    EXPECT_TRUE(source.start({{"/sdcard/a.bin"}, 0, kToEnd, {}}).is(Code::kUnavailable));
    store.inserted = true;
    EXPECT_TRUE(source.start({{"/sdcard/a.bin"}, 0, kToEnd, {}}).ok());
    EXPECT_TRUE(source.read(chunk).ok());
}

TEST(FieldCase, H04_read_errors_and_short_reads) {
    FakeFileStore store;
    store.files = {{"a.bin", content(3000)}};
    FileSource source(store);
    std::array<uint8_t, 1000> chunk;
    for (uint32_t k = 1; k <= 4; ++k) {
        ASSERT_TRUE(source.start({{"/sdcard/a.bin"}, 0, kToEnd, {}}).ok());
        store.fail_read = k;
        Status last;
        for (uint32_t i = 0; i < 5 && last.ok(); ++i) last = source.read(chunk).status();
        EXPECT_TRUE(last.is(k <= 3 ? Code::kUnavailable : Code::kEndOfData)) << k;
        source.close();
        EXPECT_EQ(store.open_files, 0);
        store.fail_read = 0;
    }
    store.most = 7;
    ASSERT_TRUE(source.start({{"/sdcard/a.bin"}, 0, kToEnd, {}}).ok());
    size_t total = 0;
    while (true) {
        const Result<size_t> n = source.read(chunk);
        if (!n.ok()) break;
        total += *n;
    }
    EXPECT_EQ(total, 3000U);
}

TEST(FieldCase, H07_a_lying_directory_entry) {
    FakeFileStore store;
    store.files = {{"a.bin", content(3000)}};
    FileSource source(store);
    std::array<uint8_t, 4096> chunk;
    store.files[0].lie_size = 0xFFFFFFFF;
    EXPECT_EQ(source.start({{"/sdcard/a.bin"}, 0, kToEnd, {}}).detail(), Detail::kFileTooLarge);
    store.files[0].lie_size = 5000;  // larger than what is there
    ASSERT_TRUE(source.start({{"/sdcard/a.bin"}, 0, kToEnd, {}}).ok());
    EXPECT_TRUE(source.read(chunk).ok());
    EXPECT_EQ(source.read(chunk).status().detail(), Detail::kShortFile);
    store.files[0].lie_size = 0;
    store.files[0].bytes.clear();
    ASSERT_TRUE(source.start({{"/sdcard/a.bin"}, 0, kToEnd, {}}).ok());
    EXPECT_TRUE(source.read(chunk).status().is(Code::kEndOfData));
}

TEST(FileSource, ReadsDigestsBesideThePackage) {
    FakeFileStore store;
    const char* sha = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a.bin\n";
    store.files = {{"a.bin", content(10)},
                   {"a.bin.sha256", text(sha)},
                   {"a.bin.md5", text("d41d8cd98f00b204e9800998ecf8427e")}};
    FileSource source(store);
    ASSERT_TRUE(source.start({{"/sdcard/a.bin"}, 0, kToEnd, {}}).ok());
    SourceInfo info;
    ASSERT_TRUE(source.info(info).ok());
    ASSERT_TRUE(info.expected_sha256.has_value());
    EXPECT_EQ((*info.expected_sha256)[0], 0xE3);
    ASSERT_TRUE(info.expected_md5.has_value());
    EXPECT_EQ((*info.expected_md5)[15], 0x7E);
}

TEST(FileSource, AMalformedDigestFileIsAnErrorNotAnAbsence) {
    for (const char* bad :
         {"", "e3b0", "zz", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8550"}) {
        FakeFileStore store;
        store.files = {{"a.bin", content(10)}, {"a.bin.sha256", text(bad)}};
        FileSource source(store);
        EXPECT_EQ(source.start({{"/sdcard/a.bin"}, 0, kToEnd, {}}).detail(),
                  Detail::kSidecarMalformed)
            << bad;
    }
}

}  // namespace
}  // namespace ota
