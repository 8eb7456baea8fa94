// The log on a card: what is lost when it is pulled, full or broken, or the power goes.
#include "observe/log_file.hpp"

#include <random>
#include <set>

#include "support/fake_log_store.hpp"
#include "support/fakes.hpp"
#include "support/log_sink.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

using test::log_record;

struct CardLog : testing::Test {
    void write(uint32_t count, LogLevel level = LogLevel::kInfo) {
        for (uint32_t i = 0; i < count; ++i) {
            file->take(log_record("line", clock.now(), ++sequence, level));
            pass(10);
        }
    }
    void pass(Millis time) {
        clock.advance(time);
        file->step();
    }
    std::string text() const { return store.all(); }
    // Numbers of the lines in text, each once.
    static std::set<uint32_t> numbers_in(const std::string& text) {
        std::set<uint32_t> out;
        for (size_t at = text.find("1a2b3c4d:"); at != std::string::npos;
             at = text.find("1a2b3c4d:", at + 1)) {
            const size_t end = text.find_first_not_of("0123456789", at + 9);
            // A line that is whole ends in its text.
            if (end == std::string::npos || text.compare(end, 5, " line") != 0) continue;
            out.insert(static_cast<uint32_t>(std::stoul(text.substr(at + 9))));
        }
        return out;
    }
    VirtualClock clock;
    test::FakeLogStore store;
    LogFile::Limits limits{4096, 3};
    std::optional<LogFile> file{std::in_place, store, clock, limits};
    uint32_t sequence = 0;
};

TEST_F(CardLog, LinesAreWrittenTogether) {
    write(1);
    EXPECT_EQ(text(), "");
    pass(LogFile::kSyncAfter);
    EXPECT_EQ(text(), "+0.001 I ota_manager 1a2b3c4d:1 line\n");
    EXPECT_EQ(store.durable, store.files);
    const uint32_t calls = store.calls;
    pass(60000);
    EXPECT_EQ(store.calls, calls);  // nothing to write: the card rests
}

TEST_F(CardLog, AnErrorIsWrittenAtOnce) {
    write(1, LogLevel::kError);
    EXPECT_EQ(store.durable.size(), 1U);
}

TEST_F(CardLog, MetricsAreNotForPeople) {
    LogRecord record = log_record("{}", 0);
    record.is_metric = true;
    file->take(record);
    file->flush();
    EXPECT_EQ(text(), "");
}

TEST_F(CardLog, FilesAreLimitedInSizeAndNumber) {
    for (int i = 0; i < 40; ++i) {
        write(20);
        pass(LogFile::kSyncAfter);
        ASSERT_LE(store.files.size(), limits.files);
        for (const auto& [number, content] : store.files) {
            ASSERT_LE(content.size(), limits.file_size);
        }
    }
    EXPECT_EQ(store.files.size(), limits.files);
    EXPECT_GT(store.files.begin()->first, 1U);
    EXPECT_NE(text().find(":800 line"), std::string::npos);
}

TEST_F(CardLog, AnotherBootGoesOnBehindATornLine) {
    write(1);
    file->flush();
    store.files[1] += "+12.3 I ota_man";
    store.durable = store.files;
    file.emplace(store, clock, limits);
    write(1);
    file->flush();
    EXPECT_NE(text().find("I ota_man\n+"), std::string::npos);
    EXPECT_EQ(numbers_in(text()).size(), 2U);
    EXPECT_EQ(store.files.size(), 1U);
}

TEST_F(CardLog, ACardThatIsPulledLosesTheOldestLinesAndSaysSo) {
    store.inserted = false;
    write(200);
    const uint32_t calls = store.calls;
    EXPECT_LE(calls, 200 * 10 / LogFile::kRetryAfter + 2);  // it is not asked all the time
    store.inserted = true;
    pass(LogFile::kRetryAfter);
    const std::set<uint32_t> there = numbers_in(text());
    EXPECT_TRUE(there.contains(200));
    const std::string said = "-- lines lost before this one: " + std::to_string(200 - there.size());
    EXPECT_EQ(text().substr(0, said.size()), said);
}

TEST_F(CardLog, AFullCardGoesOnWhenThereIsRoom) {
    store.room = 100;
    store.torn = 10;
    write(5);
    pass(LogFile::kSyncAfter);
    EXPECT_FALSE(file->is_usable());
    store.room = UINT32_MAX;
    pass(LogFile::kRetryAfter);
    EXPECT_EQ(numbers_in(text()).size(), 5U);
}

TEST_F(CardLog, LinesThatWereLostBeforeAreCountedHere) {
    file->add_lost(7);
    write(1);
    file->flush();
    EXPECT_TRUE(text().starts_with("-- lines lost before this one: 7\n"));
}

// 10,000 power losses, removals and failures, at random: what was durable is there and can be read,
// and no line is lost that was.
TEST_F(CardLog, PowerLossesAndRemovalsAtRandom) {
    std::mt19937 dice(20261130);
    const auto roll = [&](uint32_t n) { return static_cast<uint32_t>(dice() % n); };
    limits = {6 * 1024, 4};
    file.emplace(store, clock, limits);
    for (int round = 0; round < 10000; ++round) {
        store.fails_in = roll(4) == 0 ? 1 + roll(6) : 0;
        store.torn = roll(60);
        write(1 + roll(12), roll(20) == 0 ? LogLevel::kError : LogLevel::kInfo);
        if (roll(3) == 0) pass(LogFile::kSyncAfter);
        const std::set<uint32_t> durable = numbers_in([&] {
            std::string out;
            for (const auto& [number, content] : store.durable) out += content;
            return out;
        }());
        switch (roll(3)) {
            case 0:
                store.lose_power();
                file.emplace(store, clock, limits);
                break;
            case 1:
                store.inserted = false;
                pass(LogFile::kRetryAfter);
                store.inserted = true;
                break;
            default:
                break;
        }
        const std::set<uint32_t> there = numbers_in(text());
        // Files that made room aside, what was durable is still there.
        for (const uint32_t number : durable) {
            ASSERT_TRUE(there.empty() || number < *there.begin() || there.contains(number));
        }
        ASSERT_LE(store.files.size(), 2 * limits.files);  // where one could not be removed
        if (store.files.size() == limits.files && roll(50) == 0) {
            store.files.clear();
            store.durable.clear();
            file.emplace(store, clock, limits);
        }
    }
    EXPECT_GT(sequence, 20000U);
}

// Without a power loss every line is there, or a note says that it is not.
TEST_F(CardLog, NoLineGoesWithoutAWord) {
    std::mt19937 dice(7);
    const auto roll = [&](uint32_t n) { return static_cast<uint32_t>(dice() % n); };
    limits = {64 * 1024, 900};
    file.emplace(store, clock, limits);
    for (int round = 0; round < 2000; ++round) {
        store.fails_in = roll(4) == 0 ? 1 + roll(6) : 0;
        store.torn = roll(60);
        store.inserted = roll(5) != 0;
        write(1 + roll(20));
        pass(roll(4000));
    }
    store.fails_in = 0;
    store.inserted = true;
    pass(LogFile::kRetryAfter + LogFile::kSyncAfter);
    const std::string all = text();
    const size_t there = numbers_in(all).size();
    const std::string note = "-- lines lost before this one: ";
    size_t told = 0;
    for (size_t at = all.find(note); at != std::string::npos; at = all.find(note, at + 1)) {
        told += std::stoul(all.substr(at + note.size()));
    }
    EXPECT_GE(there + told, sequence);
    EXPECT_GT(there, sequence / 2);
    EXPECT_LT(there, sequence);  // some had no room
}

TEST_F(CardLog, AFileThatCannotBeOpenedIsPassedBy) {
    write(1);
    file->flush();
    store.closed_for_good = 1;
    file.emplace(store, clock, limits);
    write(1);
    file->flush();
    EXPECT_EQ(store.files.size(), 2U);
    EXPECT_NE(store.files[2].find(":2 line"), std::string::npos);
}

TEST_F(CardLog, ClosedNothingOfTheCardIsInUse) {
    write(1);
    file->flush();
    file->close();
    EXPECT_FALSE(store.is_open());
    write(1);
    file->flush();
    EXPECT_EQ(numbers_in(text()).size(), 2U);
}

}  // namespace
}  // namespace ota
