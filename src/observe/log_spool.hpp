// Lines that wait for CloudWatch, on a card as well: a loss of power does not take them.
#pragma once

#include <optional>

#include "observe/log_batch.hpp"
#include "ports/log_store.hpp"

namespace ota {

// Context of the log's task. The card holds what the batch holds, two seconds later; after a start
// the batch gets the newest of it back. Without the card, or when it fails, the batch goes on in
// memory alone. A line that was sent may be sent once more when power was lost right behind it: its
// boot and number tell.
//
// Files follow each other. Each holds all that waits: first what waited when it was made, then a
// mark that this is whole, then what came since. The newest one with the mark counts.
class LogSpool {
  public:
    static constexpr Millis kSyncAfter = 2000;
    static constexpr Millis kRetryAfter = 5000;
    static constexpr uint32_t kMostFiles = 8;  // that can't be removed, before nothing is written

    // store: a directory of its own.
    LogSpool(LogStore& store, Clock& clock) : store_(store), clock_(clock) {}

    // Writes what is due. offset: as in LogBatch::seal(); 0: not known yet, then the next start
    // takes these lines for as old as itself.
    void step(LogBatch& batch, int64_t offset);
    // Likewise, all of it now.
    void flush(LogBatch& batch, int64_t offset);
    // Nothing of the card is in use any more, until the next step.
    void close();

  private:
    bool has_changed(const LogBatch& batch) const;
    bool is_due(const LogBatch& batch);
    Status load(LogBatch& batch);
    Status survey(uint32_t number);
    Status load_file(LogBatch& batch);
    Status write(const LogBatch& batch, int64_t offset);
    Status rewrite(const LogBatch& batch, int64_t offset);
    Status append(std::string_view events, int64_t offset);
    bool remove_below(uint32_t number);

    LogStore& store_;
    Clock& clock_;
    bool is_loaded_ = false;
    uint8_t load_failures_ = 0;
    bool is_stale_ = false;  // the card does not hold what it should: a new file is due
    bool is_open_ = false;
    bool knew_time_ = false;
    uint32_t size_ = 0;   // bytes in the file
    uint32_t added_ = 0;  // bytes of the batch's that are durable: LogBatch::added()
    uint32_t drops_ = 0;  // LogBatch::drops() that were heeded
    std::optional<Millis> changed_at_;
    Millis retry_at_ = 0;
    // Of the file that is being loaded.
    uint32_t number_ = 0;
    uint32_t taken_ = 0;  // bytes of it that the batch got back, or that have no room there
    bool is_whole_ = false;
};

}  // namespace ota
