// What waits for CloudWatch, on a card that loses power, is pulled, is full, or was in somebody
// else's hands.
#include "observe/log_spool.hpp"

#include <nlohmann/json.hpp>

#include "linux/clock_virtual.hpp"
#include "observe/log_text.hpp"
#include "support/fake_log_store.hpp"
#include "support/log_sink.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

using nlohmann::json;
using test::log_record;

constexpr int64_t kOffset = 1795999323000;

struct Spool : testing::Test {
    void SetUp() override { boot(); }
    // A new start: memory is gone, the card has what was durable.
    void boot() {
        store.lose_power();
        batch.emplace();
        spool.emplace(store, clock);
        pass(100);
    }
    void write(uint32_t count = 1) {
        for (uint32_t i = 0; i < count; ++i) batch->add(log_record("line", clock.now(), ++number));
    }
    void pass(Millis time) {
        for (Millis at = 0; at < time; at += 100) {
            clock.advance(100);
            spool->step(*batch, offset);
        }
    }
    // All that waits is sent.
    json send() {
        json out = json::array();
        while (!batch->empty()) {
            batch->seal(clock.now(), kOffset, SIZE_MAX);
            if (batch->sealed_count() == 0) break;
            for (const json& event : json::parse("[" + std::string(batch->sealed()) + "]")) {
                out.push_back(event);
            }
            batch->drop();
        }
        return out;
    }
    static std::vector<std::string> numbers(const json& events) {
        std::vector<std::string> out;
        for (const json& event : events) {
            const std::string message = event["message"];
            const size_t at = message.find("1a2b3c4d:");
            if (at != std::string::npos) {
                out.push_back(message.substr(at + 9, message.find(' ', at) - at - 9));
            }
        }
        return out;
    }
    using Numbers = std::vector<std::string>;

    VirtualClock clock;
    test::FakeLogStore store;
    std::optional<LogBatch> batch;
    std::optional<LogSpool> spool;
    int64_t offset = kOffset;
    uint32_t number = 0;
};

TEST_F(Spool, WhatWaitedComesBackAfterALossOfPower) {
    write(3);
    const Millis written = clock.now();
    pass(LogSpool::kSyncAfter + 200);
    write(1);  // not durable yet
    boot();
    const json events = send();
    EXPECT_EQ(numbers(events), (Numbers{"1", "2", "3"}));
    EXPECT_EQ(events[0]["timestamp"], kOffset + static_cast<int64_t>(written));
}

TEST_F(Spool, WhatWasSentDoesNotComeBack) {
    write(3);
    pass(3000);
    EXPECT_EQ(store.files.size(), 1U);
    EXPECT_EQ(send().size(), 3U);
    pass(3000);
    EXPECT_TRUE(store.files.empty());
    boot();
    EXPECT_TRUE(batch->empty());
    // Of what was partly sent the rest.
    write(4);
    pass(3000);
    batch->seal(clock.now(), kOffset, 2);
    batch->drop();
    pass(3000);
    EXPECT_EQ(store.files.size(), 1U);
    boot();
    EXPECT_EQ(numbers(send()), (Numbers{"6", "7"}));
}

TEST_F(Spool, LinesOfSeveralStartsAddUp) {
    for (int start = 0; start < 5; ++start) {
        write(2);
        pass(3000);
        boot();
    }
    pass(3000);
    EXPECT_EQ(numbers(send()), (Numbers{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}));
}

TEST_F(Spool, NewLinesBeforeTheCardIsThereAreNotLost) {
    write(2);
    pass(3000);
    store.inserted = false;
    boot();
    write(1);
    pass(1000);
    store.inserted = true;
    pass(LogSpool::kRetryAfter + 3000);
    // The older ones go in a batch of their own, for a batch is in order of time.
    EXPECT_EQ(numbers(send()), (Numbers{"3", "1", "2"}));
}

// Each may be billed as one more, under the device's name: the card is not asked for them.
TEST_F(Spool, MetricsDoNotComeBack) {
    const std::string text =
        "{\"_aws\":{\"Timestamp\":" + std::string(stamp_text(clock.now()).view()) +
        ",\"x\":1},\"y\":2}";
    LogRecord metric = log_record(text, clock.now());
    metric.is_metric = true;
    batch->add(metric);
    write(1);
    pass(3000);
    boot();
    EXPECT_EQ(numbers(send()), Numbers{"1"});
}

TEST_F(Spool, WithoutATimeOfDayTheyAreAsOldAsTheStart) {
    offset = 0;
    write(1);
    pass(3000);
    boot();
    EXPECT_EQ(send()[0]["timestamp"], kOffset);
}

TEST_F(Spool, TheTimeOfDayIsPutInWhenItBecomesKnown) {
    offset = 0;
    write(1);
    const Millis written = clock.now();
    pass(3000);
    offset = kOffset;
    pass(3000);
    boot();
    EXPECT_EQ(send()[0]["timestamp"], kOffset + static_cast<int64_t>(written));
}

TEST_F(Spool, TheNewestComeBackAndTheOthersAreCounted) {
    constexpr uint32_t kLines = 300;
    for (uint32_t i = 0; i < kLines / 2; ++i) {
        write(2);
        pass(2500);
    }
    EXPECT_LE(store.all().size(), 3 * build::kLogBatch);
    boot();
    EXPECT_GT(batch->lost(), 0U);
    const Numbers left = numbers(send());
    ASSERT_GT(left.size(), 20U);
    EXPECT_EQ(left.back(), std::to_string(kLines));
    EXPECT_EQ(left.front(), std::to_string(kLines - left.size() + 1));
}

TEST_F(Spool, RoomIsThatOfTheMemory) {
    write(2000);
    pass(3000);
    EXPECT_GT(batch->lost(), 1000U);
    boot();
    EXPECT_LE(batch->size(), build::kLogBatch);
    EXPECT_GT(send().size(), 20U);
}

TEST_F(Spool, AFileThatCantBeRemovedHasNoSay) {
    write(1);
    pass(3000);
    store.kept = 1;
    for (int i = 0; i < 20; ++i) {
        (void)send();
        pass(3000);
        boot();
        EXPECT_TRUE(batch->empty()) << json(numbers(send())).dump();
        write(1);
        pass(3000);
    }
    EXPECT_LE(store.files.size(), 2U);
    const uint32_t calls = store.calls;
    pass(3600000);  // nothing new
    EXPECT_LT(store.calls - calls, 10U);
}

TEST_F(Spool, ManyThatCantBeRemovedEndIt) {
    for (uint32_t i = 1; i <= LogSpool::kMostFiles; ++i) store.files[i] = store.durable[i] = "x";
    store.kept = 1;
    boot();
    write(1);
    pass(60000);
    EXPECT_EQ(store.files.size(), LogSpool::kMostFiles);
    EXPECT_EQ(numbers(send()), Numbers{"1"});
}

TEST_F(Spool, AFileThatCantBeReadIsPassedOver) {
    store.files[1] = store.durable[1] = "x";
    store.closed_for_good = 1;
    boot();
    write(2);
    pass(5 * LogSpool::kRetryAfter);
    boot();
    EXPECT_EQ(numbers(send()), (Numbers{"1", "2"}));
}

TEST_F(Spool, GoesOnAfterItWasClosed) {
    write(1);
    pass(3000);
    spool->close();
    store.close();
    write(1);
    pass(2500);
    boot();
    EXPECT_EQ(numbers(send()), (Numbers{"1", "2"}));
}

TEST_F(Spool, NumbersOfFilesEnd) {
    store.files[kMaxLogFile] = store.durable[kMaxLogFile] = "";
    boot();
    write(2);
    pass(3000);
    ASSERT_EQ(store.files.size(), 1U);
    EXPECT_EQ(store.files.begin()->first, 1U);
    boot();
    EXPECT_EQ(numbers(send()), (Numbers{"1", "2"}));
}

TEST_F(Spool, ACardInStrangeHandsGivesNoEvents) {
    const std::string good = ",{\"timestamp\":1795999323000,\"message\":\"I x 1a2b3c4d:1 line\"}\n";
    std::string text;
    for (const char* bad :
         {",{\"timestamp\":1795999323000,\"message\":\"a\"},{\"timestamp\":1,\"message\":\"b\"}\n",
          ",{\"timestamp\":17959993230,\"message\":\"a\"}\n", "\n", "},\n",
          ",{\"timestamp\":1795999323000,\"message\":\"\\\"}\n",
          ",{\"timestamp\":1795999323000,\"message\":\"\\u0041\"}\n",
          ",{\"timestamp\":1795999323000,\"message\":\"\x01\"}\n",
          ",{\"timestamp\":1795999323000,\"message\":\"{\\\"_aws\\\":{\\\"Timestamp\\\":1\"}\n",
          ",{\"timestamp\":1795999323000,\"message\":\" {}\"}\n"}) {
        text += bad;
    }
    text += std::string(5000, 'x') + "\n" + good + "--\n" + good.substr(0, 30);
    store.files[7] = store.durable[7] = text;
    boot();
    const json events = send();
    EXPECT_EQ(numbers(events), Numbers{"1"});
    EXPECT_EQ(events.size(), 1U);
}

// At each call of the card once: it fails, or power is lost there.
TEST_F(Spool, NothingDurableIsLostWhereverTheCardFails) {
    for (const bool loses_power : {false, true}) {
        for (uint32_t k = 1; k < 40; ++k) {
            store = {};
            number = 0;
            boot();
            write(3);
            pass(3000);
            const bool is_durable = !store.durable.empty();
            store.fails_in = k;
            write(1);
            pass(2500);
            batch->seal(clock.now(), kOffset, 1);
            batch->drop();
            if (!loses_power) pass(LogSpool::kRetryAfter + 3000);
            boot();
            if (store.fails_in != 0) store.fails_in = 0;
            pass(LogSpool::kRetryAfter + 3000);
            const Numbers left = numbers(send());
            ASSERT_TRUE(is_durable);
            // 2 and 3 were durable and not sent; 1 may come twice.
            EXPECT_TRUE(std::count(left.begin(), left.end(), "2") == 1 &&
                        std::count(left.begin(), left.end(), "3") == 1)
                << k << loses_power << json(left).dump();
        }
    }
}

}  // namespace
}  // namespace ota
