#include "install/journal.hpp"

#include "base/crc32.hpp"
#include "linux/flash_model.hpp"
#include "support/image_factory.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

using Memory = std::array<uint8_t, 4 * layout::kSectorSize>;

struct Bench {
    Bench() { memory.fill(0xFF); }
    Memory memory{};
    FlashModel flash{memory};
};

Memory::reverse_iterator memory_end(Memory& memory) {
    return memory.rbegin();
}

UpdateRecord record(uint8_t n) {
    UpdateRecord out;
    out.stage = UpdateStage::kArmed;
    out.slot = 1;
    out.previous = 0;
    out.attempts = n;
    out.reason = RevertReason::kWatchdog;
    out.size = 123456;
    out.secure_version = 3;
    out.source_identity.fill(n);
    out.build_id.fill(static_cast<uint8_t>(n + 1));
    out.digest.fill(static_cast<uint8_t>(n + 2));
    out.version.assign("1.2.3-rc.1");
    out.probe.assign("plant");
    return out;
}

bool same(const UpdateRecord& a, const UpdateRecord& b) {
    return a.stage == b.stage && a.slot == b.slot && a.previous == b.previous &&
           a.attempts == b.attempts && a.reason == b.reason && a.size == b.size &&
           a.secure_version == b.secure_version && a.source_identity == b.source_identity &&
           a.build_id == b.build_id && a.digest == b.digest &&
           a.version.view() == b.version.view() && a.probe.view() == b.probe.view();
}

TEST(Journal, BlankPartitionIsAnEmptyJournal) {
    Bench bench;
    Journal journal(bench.flash);
    ASSERT_TRUE(journal.open().ok());
    EXPECT_EQ(journal.update().stage, UpdateStage::kNone);
    EXPECT_EQ(bench.flash.operations(), 0U);
}

TEST(Journal, AttemptComesBackWhole) {
    Bench bench;
    Journal journal(bench.flash);
    ASSERT_TRUE(journal.open().ok());
    AttemptRecord attempt;
    attempt.outcome = Outcome::kInterrupted;
    attempt.source = SourceKind::kCanbus;
    attempt.phase = State::kApplying;
    attempt.reset = ResetReason::kBrownout;
    attempt.why = {Code::kStorage, Origin::kJournal, Detail::kJournalFull};
    attempt.reading = -40000;
    attempt.limit = -1;
    attempt.received = 1;
    attempt.resumed_at = 2;
    attempt.retries = 3;
    attempt.pauses = 4;
    attempt.paused_ms = 5;
    attempt.duration_ms = 6;
    attempt.count = 7;
    attempt.build_id.fill(8);
    attempt.version.assign("9.9.9");
    ASSERT_TRUE(journal.save(attempt).ok());
    Journal again(bench.flash);
    ASSERT_TRUE(again.open().ok());
    const AttemptRecord& read = again.attempt();
    EXPECT_EQ(read.outcome, attempt.outcome);
    EXPECT_EQ(read.source, attempt.source);
    EXPECT_EQ(read.phase, attempt.phase);
    EXPECT_TRUE(read.reset == attempt.reset);
    EXPECT_EQ(read.why.word(), attempt.why.word());
    EXPECT_EQ(read.reading, attempt.reading);
    EXPECT_EQ(read.limit, attempt.limit);
    EXPECT_EQ(read.received, 1U);
    EXPECT_EQ(read.resumed_at, 2U);
    EXPECT_EQ(read.retries, 3U);
    EXPECT_EQ(read.pauses, 4U);
    EXPECT_EQ(read.paused_ms, 5U);
    EXPECT_EQ(read.duration_ms, 6U);
    EXPECT_EQ(read.count, 7U);
    EXPECT_TRUE(read.build_id == attempt.build_id);
    EXPECT_STREQ(read.version.c_str(), "9.9.9");
}

TEST(Journal, TooSmallPartitionIsNamed) {
    std::array<uint8_t, 3 * layout::kSectorSize> memory;
    memory.fill(0xFF);
    FlashModel flash(memory);
    Journal journal(flash);
    EXPECT_EQ(journal.open().detail(), Detail::kJournalAbsent);
}

TEST(Journal, EveryFieldComesBack) {
    Bench bench;
    Journal journal(bench.flash);
    ASSERT_TRUE(journal.open().ok());
    ASSERT_TRUE(journal.save(record(5)).ok());
    ConfirmedRecord confirmed;
    confirmed.secure_version = 9;
    confirmed.build_id.fill(8);
    confirmed.version.assign("1.0.0");
    ASSERT_TRUE(journal.save(confirmed).ok());
    RejectedBuild rejected;
    rejected.build_id.fill(6);
    rejected.reason = RevertReason::kCrashed;
    ASSERT_TRUE(journal.reject(rejected).ok());

    Journal again(bench.flash);
    ASSERT_TRUE(again.open().ok());
    EXPECT_TRUE(same(again.update(), record(5)));
    EXPECT_EQ(again.confirmed().secure_version, 9U);
    EXPECT_STREQ(again.confirmed().version.c_str(), "1.0.0");
    ASSERT_EQ(again.rejected().size(), 1U);
    EXPECT_EQ(again.rejected()[0].reason, RevertReason::kCrashed);
    EXPECT_EQ(again.damaged_bytes(), 0U);
}

TEST(Journal, LatestRecordWinsOverManySectors) {
    Bench bench;
    Journal journal(bench.flash);
    ASSERT_TRUE(journal.open().ok());
    ConfirmedRecord confirmed;
    confirmed.secure_version = 4;
    ASSERT_TRUE(journal.save(confirmed).ok());
    for (uint8_t n = 0; n < 200; ++n) {
        ASSERT_TRUE(journal.save(record(n)).ok());
        Journal again(bench.flash);
        ASSERT_TRUE(again.open().ok());
        ASSERT_TRUE(same(again.update(), record(n))) << static_cast<int>(n);
        ASSERT_EQ(again.confirmed().secure_version, 4U) << static_cast<int>(n);
    }
    EXPECT_EQ(bench.flash.misuses(), 0U);
}

TEST(Journal, ErasesRarely) {
    Bench bench;
    Journal journal(bench.flash);
    ASSERT_TRUE(journal.open().ok());
    for (int i = 0; i < 60; ++i) ASSERT_TRUE(journal.save(record(1)).ok());
    // 60 records are ten updates of six; the bound is one erase an update.
    EXPECT_LE(bench.flash.erases(), 10U);
}

TEST(Journal, KeepsTheNewestRejectedBuilds) {
    Bench bench;
    Journal journal(bench.flash);
    ASSERT_TRUE(journal.open().ok());
    for (const int n : {1, 2, 3, 4, 5, 6, 7, 6}) {
        RejectedBuild build;
        build.build_id.fill(static_cast<uint8_t>(n));
        ASSERT_TRUE(journal.reject(build).ok());
    }
    ASSERT_EQ(journal.rejected().size(), kMaxRejected);
    const std::array<uint8_t, kMaxRejected> expected = {6, 7, 5, 4, 3, 2};
    for (size_t i = 0; i < kMaxRejected; ++i) {
        EXPECT_EQ(journal.rejected()[i].build_id[0], expected[i]);
    }
}

// What is written seldom has to outlive the many records that are written often.
TEST(Journal, EveryTypeOutlivesManySectorChanges) {
    Bench bench;
    Journal journal(bench.flash);
    ASSERT_TRUE(journal.open().ok());
    ConfirmedRecord confirmed;
    confirmed.sequence_number = 77;
    RejectedBuild rejected;
    rejected.build_id.fill(6);
    SeenRecord seen;
    seen.validator.tag.assign("\"tag\"");
    AttemptRecord attempt;
    attempt.received = 4711;
    RevokedKeys revoked;
    Digest key{};
    key.fill(9);
    (void)revoked.push_back(key);
    ASSERT_TRUE(journal.save(confirmed).ok());
    ASSERT_TRUE(journal.reject(rejected).ok());
    ASSERT_TRUE(journal.save(seen).ok());
    ASSERT_TRUE(journal.save_time(1800000000).ok());
    ASSERT_TRUE(journal.save(attempt).ok());
    ASSERT_TRUE(journal.save(revoked).ok());
    for (uint8_t i = 0; i < 200; ++i) {
        ASSERT_TRUE(journal.save(record(i)).ok());
        Journal again(bench.flash);
        ASSERT_TRUE(again.open().ok());
        EXPECT_EQ(again.update().attempts, i);
        EXPECT_TRUE(again.confirmed().sequence_number == 77);
        EXPECT_EQ(again.rejected().size(), 1U);
        EXPECT_STREQ(again.seen().validator.tag.c_str(), "\"tag\"");
        EXPECT_TRUE(again.known_time() == 1800000000);
        EXPECT_EQ(again.attempt().received, 4711U);
        ASSERT_EQ(again.revoked().size(), 1U) << int{i};
        EXPECT_TRUE(again.revoked()[0] == key);
    }
    EXPECT_GE(bench.flash.erases(), 8U);
}

// As a newer firmware would write it: fields behind ours, and a type that we do not know.
test::Buffer foreign_record(uint8_t type, uint16_t length, uint8_t first) {
    test::Buffer out((16 + length + 15) / 16 * 16, 0xFF);
    store_le16(&out[0], 0x5AC3);
    out[2] = type;
    out[3] = 0;
    store_le16(&out[4], length);
    store_le16(&out[6], 0);
    store_le32(&out[8], 1000);
    std::fill_n(out.begin() + 16, length, uint8_t{0});
    out[16] = first;
    const uint32_t head = crc32(0, Bytes(out).first(12));
    store_le32(&out[12], crc32(head, Bytes(out).subspan(16, length)));
    return out;
}

TEST(Journal, NewerRecordsAreReadAsFarAsTheyAreKnownAndCarriedAlong) {
    Bench bench;
    {
        Journal journal(bench.flash);
        ASSERT_TRUE(journal.open().ok());
        ASSERT_TRUE(journal.save(record(1)).ok());
    }
    const auto used = std::find_if(memory_end(bench.memory), bench.memory.rend(),
                                   [](uint8_t b) { return b != 0xFF; });
    auto at = static_cast<uint32_t>(bench.memory.rend() - used);
    at = (at + 15) / 16 * 16;
    const test::Buffer update =
        foreign_record(1, 400, static_cast<uint8_t>(UpdateStage::kReverted));
    const test::Buffer unknown = foreign_record(12, 300, 0x5A);
    ASSERT_TRUE(bench.flash.program(at, Bytes(update).first(256)).ok());
    ASSERT_TRUE(bench.flash.program(at + 256, Bytes(update).subspan(256)).ok());
    const auto next = at + static_cast<uint32_t>(update.size());
    ASSERT_TRUE(bench.flash.program(next, Bytes(unknown).first(256)).ok());
    ASSERT_TRUE(bench.flash.program(next + 256, Bytes(unknown).subspan(256)).ok());

    Journal journal(bench.flash);
    ASSERT_TRUE(journal.open().ok());
    EXPECT_EQ(journal.update().stage, UpdateStage::kReverted);
    EXPECT_EQ(journal.damaged_bytes(), 0U);
    // Many sector changes by this firmware.
    AttemptRecord attempt;
    for (uint32_t i = 0; i < 200; ++i) ASSERT_TRUE(journal.save(attempt).ok());
    Journal again(bench.flash);
    ASSERT_TRUE(again.open().ok());
    EXPECT_EQ(again.update().stage, UpdateStage::kReverted);
    const auto found =
        std::search(bench.memory.begin(), bench.memory.end(), unknown.begin(), unknown.end());
    EXPECT_TRUE(found != bench.memory.end());
    const auto whole =
        std::search(bench.memory.begin(), bench.memory.end(), update.begin(), update.end());
    EXPECT_TRUE(whole != bench.memory.end());
}

// At each operation of a long run, torn in each way: the record before or the new one, and it goes
// on.
TEST(Journal, PowerCutAtEveryOperationLosesAtMostTheNewRecord) {
    Bench counting;
    Journal counter(counting.flash);
    ASSERT_TRUE(counter.open().ok());
    for (uint8_t n = 0; n < 70; ++n) ASSERT_TRUE(counter.save(record(n)).ok());
    const uint64_t total = counting.flash.operations();
    for (const CutKind kind :
         {CutKind::kClean, CutKind::kTornBytes, CutKind::kTornBits, CutKind::kHalfErased}) {
        for (uint64_t cut = 1; cut <= total; ++cut) {
            Bench bench;
            Journal journal(bench.flash);
            ASSERT_TRUE(journal.open().ok());
            ConfirmedRecord confirmed;
            confirmed.secure_version = 4;
            ASSERT_TRUE(journal.save(confirmed).ok());
            bench.flash.cut_at(cut, kind, static_cast<uint32_t>(cut));
            uint8_t n = 0;
            while (n < 70 && journal.save(record(n)).ok()) ++n;
            bench.flash.power_on();

            Journal again(bench.flash);
            ASSERT_TRUE(again.open().ok());
            ASSERT_EQ(again.confirmed().secure_version, 4U) << cut;
            const bool before = n == 0 ? again.update().stage == UpdateStage::kNone
                                       : same(again.update(), record(static_cast<uint8_t>(n - 1)));
            ASSERT_TRUE(before || same(again.update(), record(n))) << cut;
            ASSERT_TRUE(again.save(record(99)).ok()) << cut;
            ASSERT_EQ(bench.flash.misuses(), 0U) << cut;
        }
    }
}

// Power that fails again and again while records are moved out of the next sector.
TEST(Journal, SurvivesPowerCutsOneAfterTheOther) {
    Bench bench;
    uint32_t seed = 1;
    uint8_t last = 0;
    for (int i = 0; i < 3000; ++i) {
        Journal journal(bench.flash);
        ASSERT_TRUE(journal.open().ok());
        ASSERT_TRUE(last == 0 || journal.update().attempts >= last - 1) << i;
        seed = seed * 1664525U + 1013904223U;
        bench.flash.cut_at(1 + (seed >> 16) % 4, CutKind::kTornBits, seed);
        uint8_t n = static_cast<uint8_t>(i % 200 + 1);
        last = 0;
        while (journal.save(record(n)).ok()) last = n;
        bench.flash.power_on();
    }
    EXPECT_EQ(bench.flash.misuses(), 0U);
    Journal journal(bench.flash);
    ASSERT_TRUE(journal.open().ok());
    EXPECT_TRUE(journal.save(record(1)).ok());
}

TEST(Journal, LeavesSectorsOfANewerFormatAlone) {
    Bench bench;
    Journal journal(bench.flash);
    ASSERT_TRUE(journal.open().ok());
    ASSERT_TRUE(journal.save(record(1)).ok());
    // What a firmware with major version 2 would have left in the last sector.
    MutableBytes foreign = MutableBytes(bench.memory).subspan(3 * layout::kSectorSize, 16);
    std::copy_n(bench.memory.begin(), 16, foreign.begin());
    foreign[4] = 2;
    store_le32(&foreign[12], crc32(0, Bytes(foreign).first(12)));
    const Memory before = bench.memory;

    Journal again(bench.flash);
    ASSERT_TRUE(again.open().ok());
    EXPECT_TRUE(same(again.update(), record(1)));
    for (uint8_t n = 0; n < 100; ++n) ASSERT_TRUE(again.save(record(n)).ok());
    EXPECT_TRUE(std::equal(before.begin() + 3 * layout::kSectorSize, before.end(),
                           bench.memory.begin() + 3 * layout::kSectorSize));
}

TEST(Journal, SkipsGarbageAndSaysSo) {
    Bench bench;
    uint32_t seed = 5;
    for (uint8_t& byte : bench.memory) {
        seed = seed * 1664525U + 1013904223U;
        byte = static_cast<uint8_t>(seed >> 24);
    }
    Journal journal(bench.flash);
    ASSERT_TRUE(journal.open().ok());
    EXPECT_EQ(journal.update().stage, UpdateStage::kNone);
    ASSERT_TRUE(journal.save(record(2)).ok());
    Journal again(bench.flash);
    ASSERT_TRUE(again.open().ok());
    EXPECT_TRUE(same(again.update(), record(2)));
}

TEST(Journal, AFailedWriteKeepsTheOldValue) {
    Bench bench;
    Journal journal(bench.flash);
    ASSERT_TRUE(journal.open().ok());
    ASSERT_TRUE(journal.save(record(1)).ok());
    bench.flash.fail_operations(0, 1);
    EXPECT_TRUE(journal.save(record(2)).is(Code::kStorage));
    EXPECT_TRUE(same(journal.update(), record(1)));
    EXPECT_TRUE(journal.save(record(3)).ok());
}

}  // namespace
}  // namespace ota
