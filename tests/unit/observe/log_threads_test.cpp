// The queue between two contexts; under the thread sanitizer too.
#include <gtest/gtest.h>

#include <thread>

#include "observe/log_queue.hpp"
#include "support/log_sink.hpp"

namespace ota {
namespace {

TEST(LogQueueThreads, NothingIsTornOrOutOfOrder) {
    constexpr uint32_t kLines = 20000;
    LogQueue queue;
    std::atomic<bool> done{false};
    uint32_t seen = 0;
    uint32_t last = 0;
    std::thread reader([&] {
        LogQueue::Held held;
        while (true) {
            const bool was_done = done;
            if (!queue.pop(held)) {
                if (was_done) return;
                std::this_thread::yield();
                continue;
            }
            ASSERT_GT(held.record.sequence, last);
            last = held.record.sequence;
            const std::string_view text = held.record.text;
            ASSERT_EQ(text.size(), last % 200);
            ASSERT_EQ(text.find_first_not_of(static_cast<char>('a' + last % 26)),
                      std::string_view::npos);
            seen += 1 + held.lost;
        }
    });
    for (uint32_t i = 1; i <= kLines; ++i) {
        const std::string text(i % 200, static_cast<char>('a' + i % 26));
        queue.take(test::log_record(text, i, i));
    }
    done = true;
    reader.join();
    queue.take(test::log_record("", 0, kLines + 200 - kLines % 200));
    LogQueue::Held held;
    ASSERT_TRUE(queue.pop(held));
    EXPECT_EQ(seen + held.lost, kLines);
}

}  // namespace
}  // namespace ota
