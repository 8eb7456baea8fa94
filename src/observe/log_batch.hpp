// Log events that wait for CloudWatch, as the JSON that its PutLogEvents takes.
#pragma once

#include "base/build_options.hpp"
#include "base/fixed.hpp"
#include "ports/log.hpp"

namespace ota {

// Context of the log's task. When there is no room the oldest events go, and are counted.
class LogBatch {
  public:
    // What CloudWatch takes (API reference, PutLogEvents).
    static constexpr Millis kMostSpan = Millis{24} * 3600 * 1000;  // from first to last of a batch
    static constexpr Millis kOldest = Millis{14} * 24 * 3600 * 1000;

    void add(const LogRecord& record);
    // A line that waited before the last start, with its end: as text() had it. What is none, a
    // metric (each may be billed: none is taken from a card), or finds no room is left out; the
    // last is counted.
    void restore(std::string_view event);
    void add_lost(uint32_t lines) { lost_ += lines; }

    size_t size() const { return text_.view().size(); }
    bool empty() const { return text_.empty(); }
    // When the first event that waits was written; of a restored one: later than any.
    Millis since() const;
    // All events, those that are on their way first. Each is one line.
    std::string_view text() const { return text_.view(); }
    // Bytes that were ever added behind the others.
    uint32_t added() const { return added_; }
    // How often events went because they have arrived.
    uint32_t drops() const { return drops_; }

    // Puts together what goes in one request: no more than most events, stamped with offset, which
    // makes the device's time that of day (ms since 1970). What is too old to be taken is lost.
    void seal(Millis now, int64_t offset, size_t most);
    // The events of it, without brackets. Good until drop() or unseal(), whatever is added.
    std::string_view sealed() const;
    size_t sealed_count() const { return sealed_count_; }
    // An event as a line: the device's time in it becomes that of day, if offset is known.
    static constexpr size_t kMostEvent = 2 * kMaxLogMetric + 80;
    using Event = FixedString<kMostEvent>;
    static void stamp(Event& event, int64_t offset);

    // They have arrived, or never will.
    void drop();
    // They stay for another try.
    void unseal();

    // Since the last event said so.
    uint32_t lost() const { return lost_; }

  private:
    using Text = FixedString<build::kLogBatch>;
    bool make_room(size_t size);
    void add_event(Millis at, std::string_view text);
    void stamp_sealed(int64_t offset);
    void say_what_was_lost(Millis at);

    Text text_;
    size_t sealed_size_ = 0;
    size_t sealed_count_ = 0;
    int64_t offset_ = 0;  // of what is sealed
    uint32_t lost_ = 0;
    uint32_t added_ = 0;
    uint32_t drops_ = 0;
};

}  // namespace ota
