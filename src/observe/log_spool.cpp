#include "observe/log_spool.hpp"

namespace ota {
namespace {

// Of a file: what was added while nothing could be sent.
constexpr uint32_t kMostSize = 2 * build::kLogBatch;

}  // namespace

bool LogSpool::is_due(const LogBatch& batch) {
    if (clock_.now() < retry_at_) return false;
    const bool changed = batch.added() != added_ || batch.drops() != drops_ || is_stale_;
    if (!changed) {
        changed_at_.reset();
        return false;
    }
    if (!changed_at_) changed_at_ = clock_.now();
    return clock_.now() - *changed_at_ >= kSyncAfter;
}

void LogSpool::step(LogBatch& batch, int64_t offset) {
    if (!is_loaded_ && clock_.now() >= retry_at_) {
        is_loaded_ = load(batch).ok();
        if (!is_loaded_) retry_at_ = clock_.now() + kRetryAfter;
    }
    if (is_loaded_ && is_due(batch)) flush(batch, offset);
}

void LogSpool::flush(LogBatch& batch, int64_t offset) {
    if (!is_loaded_) return;
    const uint32_t added = batch.added();
    const uint32_t drops = batch.drops();
    if (added == added_ && drops == drops_ && !is_stale_) return;
    is_stale_ = is_stale_ || drops != drops_;
    if (!write(batch, offset).ok()) {
        store_.close();
        is_open_ = false;
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

// The new file is durable before the old one goes: one of them always holds what waits.
Status LogSpool::rewrite(const LogBatch& batch, int64_t offset) {
    LogStore::Range range;
    OTA_TRY(store_.range(range));
    // Numbers begin anew each time that nothing waits; a card that comes to the last one has seen
    // 99,999 files without such a moment.
    if (range.newest == kMaxLogFile) {
        OTA_TRY(remove_below(kMaxLogFile + 1));
        range.newest = 0;
    }
    number_ = range.newest + 1;
    is_open_ = false;
    if (batch.empty()) {
        store_.close();
        return remove_below(number_);
    }
    OTA_TRY_ASSIGN(size_, store_.open(number_));
    OTA_TRY(append(batch.text(), offset));
    OTA_TRY(store_.sync());
    is_open_ = true;
    return remove_below(number_);
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

// Bounded: a card may hold files of somebody else.
Status LogSpool::remove_below(uint32_t number) {
    constexpr int kMost = 16;
    for (int i = 0; i < kMost; ++i) {
        LogStore::Range range;
        OTA_TRY(store_.range(range));
        if (range.count == 0 || range.oldest >= number) return {};
        OTA_TRY(store_.remove(range.oldest));
    }
    return {};
}

// ---------------------------------------------------------------- from the card

// Of two files the older one is whole: power was lost while it was about to be replaced.
Status LogSpool::load(LogBatch& batch) {
    LogStore::Range range;
    OTA_TRY(store_.range(range));
    if (range.oldest != number_) taken_ = 0;
    number_ = range.oldest;
    if (range.count != 0) OTA_TRY(load_file(batch));
    // What the batch took is written anew, with what it held already: order does not matter there.
    is_stale_ = range.count != 0;
    return {};
}

// A line that is no event of ours, or was cut by a loss of power, is passed by. After a failure it
// goes on behind the last whole line.
Status LogSpool::load_file(LogBatch& batch) {
    LogBatch::Event event;
    bool is_too_long = false;
    std::array<char, 256> part;
    const auto room = MutableBytes(reinterpret_cast<uint8_t*>(part.data()), part.size());
    for (uint32_t at = taken_; at < kMostSize + build::kLogBatch;) {
        OTA_TRY_ASSIGN(const size_t count, store_.read(number_, at, room));
        if (count == 0) return {};
        for (const char& c : std::string_view(part.data(), count)) {
            ++at;
            is_too_long = !event.try_append({&c, 1}) || is_too_long;
            if (c != '\n') continue;
            if (!is_too_long) batch.restore(event.view());
            taken_ = at;
            event.clear();
            is_too_long = false;
        }
    }
    return {};
}

}  // namespace ota
