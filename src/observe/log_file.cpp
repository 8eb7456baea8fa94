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
    store_.close();
    is_open_ = false;
    retry_at_ = clock_.now() + kRetryAfter;
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
        lost_ = 0;
    }
    OTA_TRY(append(pending_.view()));
    return store_.sync();
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
    OTA_TRY_ASSIGN(size_, store_.open(number_));
    is_open_ = true;
    return size_ == 0 ? kOkStatus : append("\n");
}

// For one more file. Bounded: a card may hold files of another configuration.
Status LogFile::make_room(uint32_t newest) {
    for (uint32_t removed = 0; removed < limits_.files; ++removed) {
        LogStore::Range range;
        OTA_TRY(store_.range(range));
        const uint32_t count = newest - range.oldest + 1;
        if (range.oldest == 0 || range.oldest > newest || count < limits_.files) return {};
        OTA_TRY(store_.remove(range.oldest));
    }
    return {};
}

}  // namespace ota
