// The log on an SD card: files of limited size and number, the oldest of which make room.
#pragma once

#include "base/build_options.hpp"
#include "observe/log_text.hpp"
#include "ports/log_store.hpp"

namespace ota {

// Context of the log's task. What was written here and is not yet durable is lost with the power;
// nothing else is. A card that is not there, is full or broken is tried again from time to time;
// meanwhile the newest lines are kept in memory, and the others counted.
class LogFile {
  public:
    struct Limits {
        uint32_t file_size = 256 * 1024;  // bytes
        uint32_t files = 8;
    };
    // What waits no longer for a durable place.
    static constexpr Millis kSyncAfter = 2000;
    static constexpr Millis kRetryAfter = 5000;

    LogFile(LogStore& store, Clock& clock, Limits limits)
        : store_(store), clock_(clock), limits_(limits) {}

    void take(const LogRecord& record);
    // So many lines were lost before they came here.
    void add_lost(uint32_t lines) { lost_ += lines; }
    // Writes what is due; often.
    void step();
    // Everything that can still be written, now.
    void flush();
    // Nothing of the card is in use any more, until the next line.
    void close();
    bool is_usable() const { return is_open_; }

  private:
    void add_line(std::string_view line);
    bool is_due() const;
    Status write();
    Status append(std::string_view text);
    Status open();
    Status make_room(uint32_t newest);

    LogStore& store_;
    Clock& clock_;
    const Limits limits_;
    FixedString<build::kLogLines> pending_;
    Millis oldest_ = 0;  // when the first of the pending lines came
    bool is_urgent_ = false;
    uint32_t lost_ = 0;
    bool is_open_ = false;
    uint32_t number_ = 0;  // of the open file
    uint32_t size_ = 0;    // bytes in it
    Millis retry_at_ = 0;
};

}  // namespace ota
