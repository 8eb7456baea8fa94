#include "observe/log_file.hpp"

#include "base/text.hpp"

namespace ota {

void LogFile::take(const LogRecord& record) {
    if (record.is_metric) return;
    RecordLine line;
    format_record(record, line);
    is_urgent_ = is_urgent_ || record.level == LogLevel::kError;
    add_line(line.view());
}

// The oldest lines make room.
void LogFile::add_line(std::string_view line) {
    if (pending_.empty()) oldest_ = clock_.now();
    while (pending_.view().size() + line.size() + 1 > build::kLogLines) {
        pending_.erase(0, pending_.view().find('\n') + 1);
        ++lost_;
    }
    pending_.append(line);
    pending_.append("\n");
}

bool LogFile::is_due() const {
    const bool is_much = pending_.view().size() >= build::kLogLines / 2;
    return is_much || is_urgent_ || clock_.now() - oldest_ >= kSyncAfter;
}

void LogFile::step() {
    if (pending_.empty() || clock_.now() < retry_at_ || !is_due()) return;
    flush();
}

void LogFile::flush() {
    if (pending_.empty()) return;
    if (write().ok()) {
        pending_.clear();
        is_urgent_ = false;
        return;
    }
    close();
    retry_at_ = clock_.now() + kRetryAfter;
}

void LogFile::close() {
    store_.close();
    is_open_ = false;
}

Status LogFile::write() {
    if (!is_open_) OTA_TRY(open());
    if (size_ != 0 && size_ + pending_.view().size() > limits_.file_size) {
        OTA_TRY(make_room(number_));
        number_ = number_ == kMaxLogFile ? 1 : number_ + 1;
        OTA_TRY_ASSIGN(size_, store_.open(number_));
    }
    if (lost_ != 0) {
        RecordLine line("-- lines lost before this one: ");
        append_decimal(line, lost_);
        line.append("\n");
        OTA_TRY(append(line.view()));
    }
    OTA_TRY(append(pending_.view()));
    OTA_TRY(store_.sync());
    lost_ = 0;
    return {};
}

Status LogFile::append(std::string_view text) {
    OTA_TRY(store_.append(as_bytes(text)));
    size_ += static_cast<uint32_t>(text.size());
    return {};
}

// Behind what is there. A line that a power loss cut in two ends here.
Status LogFile::open() {
    LogStore::Range range;
    OTA_TRY(store_.range(range));
    number_ = range.newest == 0 ? 1 : range.newest;
    Result<uint32_t> size = store_.open(number_);
    // It may be write-protected, or none of ours: another one then.
    if (!size.ok() && number_ < kMaxLogFile) size = store_.open(++number_);
    OTA_TRY_ASSIGN(size_, size);
    is_open_ = true;
    return size_ == 0 ? kOkStatus : append("\n");
}

// For one more file. Bounded: a card may hold files of another configuration.
Status LogFile::make_room(uint32_t newest) {
    for (uint32_t removed = 0; removed < limits_.files; ++removed) {
        LogStore::Range range;
        OTA_TRY(store_.range(range));
        if (range.count < limits_.files || range.oldest == newest) return {};
        // One that can't be removed does not end the log, before there are twice as many.
        const Status done = store_.remove(range.oldest);
        if (!done.ok()) return range.count < 2 * limits_.files ? kOkStatus : done;
    }
    return {};
}

}  // namespace ota
