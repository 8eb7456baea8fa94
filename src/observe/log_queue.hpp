// Lines on their way from the engine to the log's own task, which may wait for a card or a server.
#pragma once

#include <atomic>

#include "base/build_options.hpp"
#include "base/fixed.hpp"
#include "ports/log.hpp"

namespace ota {

// A ring of one writer and one reader; no lock. A line that finds it full is lost, and counted.
class LogQueue final : public LogSink {
  public:
    // Engine context.
    void take(const LogRecord& record) override;

    // A record with the memory that its texts are in.
    struct Held {
        LogRecord record;
        FixedString<16> tag;
        FixedString<kMaxLogMetric> text;
        uint32_t lost = 0;  // lines before this one that found no room
    };
    // Context of the log's task. False: none is there.
    bool pop(Held& out);

  private:
    static constexpr uint32_t kCapacity = build::kLogQueue;
    static_assert((kCapacity & (kCapacity - 1)) == 0, "offsets wrap at 2^32");

    struct Head {
        LogLevel level;
        bool is_metric;
        uint8_t tag_size;
        uint16_t text_size;
        uint32_t boot;
        uint32_t sequence;
        uint32_t lost;
        Millis at;
        UnixTime wall;
    };
    void put(uint32_t& at, const void* bytes, size_t size);
    void get(uint32_t& at, void* bytes, size_t size) const;

    std::array<uint8_t, kCapacity> ring_{};
    std::atomic<uint32_t> head_{0};  // the writer's
    std::atomic<uint32_t> tail_{0};  // the reader's
    uint32_t lost_ = 0;              // the writer's
};

}  // namespace ota
