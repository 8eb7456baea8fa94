#include "observe/log_spool.hpp"

namespace ota {
namespace {

// Of a file: what was added while nothing could be sent.
constexpr uint32_t kMostSize = 2 * build::kLogBatch;
constexpr uint32_t kMostRead = 2 * kMostSize;
constexpr uint8_t kMostLoadFailures = 3;

// Stands alone in its line; no event is so short.
constexpr std::string_view kMark = "--\n";

// Gives each line of a file from at on, with its end, to take(line, place behind it); one that is
// longer than an event comes empty.
template <typename Take>
Status each_line(LogStore& store, uint32_t number, uint32_t at, Take take) {
    LogBatch::Event line;
    bool fits = true;
    std::array<char, 256> part;
    const auto room = MutableBytes(reinterpret_cast<uint8_t*>(part.data()), part.size());
    while (at < kMostRead) {
        OTA_TRY_ASSIGN(const size_t count, store.read(number, at, room));
        if (count == 0) return {};
        for (const char& c : std::string_view(part.data(), count)) {
            ++at;
            fits = line.try_append({&c, 1}) && fits;
            if (c != '\n') continue;
            take(fits ? line.view() : std::string_view(), at);
            line.clear();
            fits = true;
        }
    }
    return {};
}

}  // namespace

void LogSpool::close() {
    store_.close();
    is_open_ = false;
}

bool LogSpool::has_changed(const LogBatch& batch) const {
    return batch.added() != added_ || batch.drops() != drops_ || is_stale_;
}

bool LogSpool::is_due(const LogBatch& batch) {
    if (!has_changed(batch)) {
        changed_at_.reset();
        return false;
    }
    if (!changed_at_) changed_at_ = clock_.now();
    return clock_.now() - *changed_at_ >= kSyncAfter;
}

void LogSpool::step(LogBatch& batch, int64_t offset) {
    if (clock_.now() < retry_at_) return;
    if (!is_loaded_) {
        is_loaded_ = load(batch).ok();
        if (!is_loaded_) retry_at_ = clock_.now() + kRetryAfter;
        return;
    }
    // Lines from before the time was known get theirs.
    is_stale_ = is_stale_ || (offset != 0 && !knew_time_ && is_open_);
    knew_time_ = offset != 0;
    if (is_due(batch)) flush(batch, offset);
}

void LogSpool::flush(LogBatch& batch, int64_t offset) {
    if (!is_loaded_ || !has_changed(batch) || clock_.now() < retry_at_) return;
    const uint32_t added = batch.added();
    const uint32_t drops = batch.drops();
    is_stale_ = is_stale_ || drops != drops_;
    if (!write(batch, offset).ok()) {
        close();
        is_stale_ = true;  // what came to be there of it is not known
        retry_at_ = clock_.now() + kRetryAfter;
        return;
    }
    added_ = added;
    drops_ = drops;
    is_stale_ = false;
    changed_at_.reset();
}

// ---------------------------------------------------------------- to the card

Status LogSpool::write(const LogBatch& batch, int64_t offset) {
    const std::string_view text = batch.text();
    const uint32_t fresh = batch.added() - added_;
    if (!is_open_ || is_stale_ || size_ > kMostSize || fresh > text.size()) {
        return rewrite(batch, offset);
    }
    // Where events have made room for others meanwhile, what is on the card is written once more.
    const size_t from = text.size() - fresh;
    if (from != 0 && text[from - 1] != '\n') return rewrite(batch, offset);
    OTA_TRY(append(text.substr(from), offset));
    return store_.sync();
}

// The new file is durable before the old ones go.
Status LogSpool::rewrite(const LogBatch& batch, int64_t offset) {
    LogStore::Range range;
    OTA_TRY(store_.range(range));
    close();
    // Numbers begin anew each time that nothing waits: a card that comes to the last one has seen
    // 99,999 files without such a moment.
    const bool is_empty = batch.empty() || range.newest == kMaxLogFile;
    if (is_empty && remove_below(kMaxLogFile + 1)) range = {};
    if (batch.empty() && range.count == 0) return {};
    if (range.count >= kMostFiles || range.newest == kMaxLogFile) {
        return {Code::kNoSpace, Origin::kPlatform, Detail::kFileWriteError};
    }
    OTA_TRY_ASSIGN(size_, store_.open(range.newest + 1));
    OTA_TRY(append(batch.text(), offset));
    OTA_TRY(store_.append(as_bytes(kMark)));
    OTA_TRY(store_.sync());
    is_open_ = true;
    // One that stays is none that counts.
    if (range.newest != 0) (void)store_.remove(range.newest);
    (void)remove_below(range.newest + 1);
    return {};
}

Status LogSpool::append(std::string_view events, int64_t offset) {
    while (!events.empty()) {
        const std::string_view event = events.substr(0, events.find('\n') + 1);
        LogBatch::Event stamped(event);
        LogBatch::stamp(stamped, offset);
        OTA_TRY(store_.append(as_bytes(stamped.view())));
        size_ += static_cast<uint32_t>(event.size());
        events.remove_prefix(event.size());
    }
    return {};
}

// False: some are still there.
bool LogSpool::remove_below(uint32_t number) {
    for (uint32_t i = 0; i <= kMostFiles; ++i) {
        LogStore::Range range;
        if (!store_.range(range).ok()) return false;
        if (range.count == 0 || range.oldest >= number) return true;
        if (!store_.remove(range.oldest).ok()) return false;
    }
    return false;
}

// ---------------------------------------------------------------- from the card

Status LogSpool::load(LogBatch& batch) {
    LogStore::Range range;
    OTA_TRY(store_.range(range));
    // What can't be read is passed over in the end.
    const bool gives_up = load_failures_ == kMostLoadFailures;
    for (uint32_t i = 0; range.count != 0 && !is_whole_ && !gives_up && i < kMostFiles; ++i) {
        if (range.newest - i < range.oldest) break;
        const Status seen = survey(range.newest - i);
        load_failures_ = static_cast<uint8_t>(load_failures_ + (seen.ok() ? 0 : 1));
        OTA_TRY(seen);
    }
    const Status loaded = is_whole_ && !gives_up ? load_file(batch) : kOkStatus;
    load_failures_ = static_cast<uint8_t>(load_failures_ + (loaded.ok() ? 0 : 1));
    OTA_TRY(loaded);
    // What the batch took is written anew, with what it held already: order does not matter there.
    is_stale_ = range.count != 0;
    return {};
}

// Is it whole, and from where on does the batch have room for it? The newest count.
Status LogSpool::survey(uint32_t number) {
    uint32_t size = 0;
    bool has_mark = false;
    OTA_TRY(each_line(store_, number, 0, [&](std::string_view line, uint32_t end) {
        has_mark = has_mark || line == kMark;
        size = end;
    }));
    if (!has_mark) return {};
    is_whole_ = true;
    number_ = number;
    taken_ = 0;
    size_ = size;
    return {};
}

// A line that is no event of ours, or was cut by a loss of power, is passed by. After a failure it
// goes on behind the last line that was taken.
Status LogSpool::load_file(LogBatch& batch) {
    const size_t room = build::kLogBatch - batch.size();
    const uint32_t first = size_ > taken_ + room ? size_ - static_cast<uint32_t>(room) : taken_;
    return each_line(store_, number_, taken_, [&](std::string_view line, uint32_t end) {
        taken_ = end;
        if (line == kMark) return;
        if (end - line.size() >= first) {
            batch.restore(line);
        } else {
            batch.add_lost(1);
        }
    });
}

}  // namespace ota
