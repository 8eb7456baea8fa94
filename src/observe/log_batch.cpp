#include "observe/log_batch.hpp"

#include "base/text.hpp"
#include "observe/log_text.hpp"

namespace ota {
namespace {

// An event: ,{"timestamp":0000000000000,"message":"…"} and a line end. The digits are the device's
// time until they are stamped.
constexpr std::string_view kHead = ",{\"timestamp\":";
constexpr std::string_view kMessage = ",\"message\":\"";
constexpr std::string_view kTail = "\"}\n";
constexpr size_t kFrame = kHead.size() + kStampDigits + kMessage.size() + kTail.size();

// A metric has its time inside as well.
constexpr std::string_view kMetricHead = "{\\\"_aws\\\":{\\\"Timestamp\\\":";
constexpr size_t kMetricAt = kHead.size() + kStampDigits + kMessage.size();

// Limits of CloudWatch that a batch of ours can't reach: 10,000 events, and 1 MiB with 26 bytes for
// each of them.
static_assert(build::kLogBatch / kFrame < 10000 &&
              build::kLogBatch + build::kLogBatch / kFrame * 26 < 1048576);

// Of a JSON string (RFC 8259 7). Bytes beyond ASCII may be half a character: lines are cut.
void append_escaped(std::string_view text, FixedString<2 * kMaxLogMetric>& out) {
    for (const char& c : text) {
        const bool plain = c >= ' ' && c <= '~';
        if (c == '"' || c == '\\') out.append("\\");
        out.append(plain ? std::string_view(&c, 1) : std::string_view("?"));
    }
}

uint64_t number_at(std::string_view event) {
    uint64_t number = 0;
    (void)parse_decimal(event.substr(kHead.size(), kStampDigits), number);
    return number;
}

std::string_view first_event(std::string_view text) {
    return text.substr(0, text.find('\n') + 1);
}

}  // namespace

void LogBatch::add(const LogRecord& record) {
    // Not at the cost of lines.
    if (lost_ != 0 && size() <= build::kLogBatch / 2) say_what_was_lost(record.at);
    FixedString<2 * kMaxLogMetric> text;
    if (!record.is_metric) {
        const char letter = level_letter(record.level);
        text.append({&letter, 1});
        const auto number = record_number(record);
        for (const std::string_view part : {record.tag, number.view()}) {
            text.append(" ");
            append_escaped(part, text);
        }
        text.append(" ");
    }
    append_escaped(record.text, text);
    add_event(record.at, text.view());
}

void LogBatch::say_what_was_lost(Millis at) {
    FixedString<60> text("W log lines lost before this one: ");
    append_decimal(text, lost_);
    lost_ = 0;
    add_event(at, text.view());
}

void LogBatch::add_event(Millis at, std::string_view text) {
    if (!make_room(kFrame + text.size())) {
        ++lost_;
        return;
    }
    const auto digits = stamp_text(at);
    for (const std::string_view part : {kHead, digits.view(), kMessage, text, kTail}) {
        text_.append(part);
    }
}

// Of what is on its way nothing is taken away.
bool LogBatch::make_room(size_t size) {
    while (text_.view().size() + size > build::kLogBatch) {
        const std::string_view waiting = text_.view().substr(sealed_size_);
        if (waiting.empty()) return false;
        text_.erase(sealed_size_, sealed_size_ + first_event(waiting).size());
        ++lost_;
    }
    return true;
}

Millis LogBatch::since() const {
    return number_at(text_.view().substr(sealed_size_));
}

void LogBatch::seal(Millis now, int64_t offset, size_t most) {
    OTA_ASSERT(sealed_size_ == 0);
    while (!empty() && now - since() > kOldest) {
        text_.erase(0, first_event(text_.view()).size());
        ++lost_;
    }
    if (empty()) return;
    const Millis last = since() + kMostSpan;
    offset_ = offset;
    while (sealed_size_ < size() && sealed_count_ < most) {
        const std::string_view event = first_event(text_.view().substr(sealed_size_));
        if (number_at(event) > last) break;
        sealed_size_ += event.size();
        ++sealed_count_;
    }
    stamp(offset);
}

// Moves the times of what is sealed.
void LogBatch::stamp(int64_t offset) {
    for (size_t at = 0; at < sealed_size_;) {
        const std::string_view event = first_event(text_.view().substr(at));
        const auto time = stamp_text(number_at(event) + static_cast<uint64_t>(offset));
        const bool is_metric = event.substr(kMetricAt).starts_with(kMetricHead);
        text_.overwrite(at + kHead.size(), time.view());
        if (is_metric) text_.overwrite(at + kMetricAt + kMetricHead.size(), time.view());
        at += event.size();
    }
}

std::string_view LogBatch::sealed() const {
    return sealed_size_ == 0 ? std::string_view() : text_.view().substr(1, sealed_size_ - 1);
}

void LogBatch::drop() {
    text_.erase(0, sealed_size_);
    sealed_size_ = sealed_count_ = 0;
}

void LogBatch::unseal() {
    stamp(-offset_);
    sealed_size_ = sealed_count_ = 0;
}

}  // namespace ota
