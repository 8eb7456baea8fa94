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
        if (c == '"' || c == '\\') out.append("\\");
        out.append({is_printable(c) ? &c : "?", 1});
    }
}

// From here on a number is ms since 1970 (of 2001), before it of the device's own time (31 years).
constexpr uint64_t kTimeOfDay = 1000000000000;

uint64_t number_at(std::string_view event) {
    uint64_t number = 0;
    (void)parse_decimal(event.substr(kHead.size(), kStampDigits), number);
    return number;
}

std::string_view first_event(std::string_view text) {
    return text.substr(0, text.find('\n') + 1);
}

// offset makes device's time that of day, or, negative, takes that back; what was restored stays.
uint64_t moved(uint64_t number, int64_t offset) {
    if (offset >= 0) {
        return number >= kTimeOfDay ? number : number + static_cast<uint64_t>(offset);
    }
    const auto back = static_cast<uint64_t>(-offset);
    return number < back ? number : number - back;
}

bool is_metric(std::string_view event) {
    return event.substr(kMetricAt).starts_with(kMetricHead);
}

// overwrite() changes characters of the event.
template <typename Overwrite>
void set_time(std::string_view event, uint64_t number, Overwrite overwrite) {
    const auto time = stamp_text(number);
    if (is_metric(event)) overwrite(kMetricAt + kMetricHead.size(), time.view());
    overwrite(kHead.size(), time.view());
}

// A JSON string's inside as append_escaped() makes it.
bool is_escaped(std::string_view text) {
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] < ' ' || text[i] > '~' || text[i] == '"') return false;
        if (text[i] != '\\') continue;
        if (++i == text.size() || (text[i] != '"' && text[i] != '\\')) return false;
    }
    return true;
}

// The card may have been in somebody else's hands.
bool is_event(std::string_view line) {
    if (line.size() < kFrame || !line.starts_with(kHead) || !line.ends_with(kTail)) return false;
    const std::string_view digits = line.substr(kHead.size(), kStampDigits);
    const std::string_view text = line.substr(kMetricAt, line.size() - kFrame);
    // CloudWatch looks for metrics in whatever is an object.
    return std::all_of(digits.begin(), digits.end(), is_digit) &&
           line.substr(kHead.size() + kStampDigits).starts_with(kMessage) && is_escaped(text) &&
           !text.starts_with('{') && !text.starts_with(' ');
}

}  // namespace

void LogBatch::stamp(Event& event, int64_t offset) {
    set_time(event.view(), moved(number_at(event.view()), offset),
             [&](size_t at, std::string_view digits) { event.overwrite(at, digits); });
}

void LogBatch::restore(std::string_view event) {
    if (!is_event(event)) return;
    const size_t at = text_.view().size();
    if (!text_.try_append(event)) {
        ++lost_;
        return;
    }
    added_ += static_cast<uint32_t>(event.size());
    // When it was written nobody knew the time of day: it is taken for as old as this start.
    if (number_at(event) >= kTimeOfDay) return;
    set_time(event, 0,
             [&](size_t place, std::string_view digits) { text_.overwrite(at + place, digits); });
}

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
    added_ += static_cast<uint32_t>(kFrame + text.size());
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
    const auto time_of = [&](std::string_view event) { return moved(number_at(event), offset); };
    const uint64_t present = now + static_cast<uint64_t>(offset);
    while (!empty() && present > time_of(text_.view()) + kOldest) {
        text_.erase(0, first_event(text_.view()).size());
        ++lost_;
    }
    if (empty()) return;
    uint64_t before = time_of(text_.view());
    const uint64_t last = before + kMostSpan;
    offset_ = offset;
    while (sealed_size_ < size() && sealed_count_ < most) {
        const std::string_view event = first_event(text_.view().substr(sealed_size_));
        const uint64_t time = time_of(event);
        // Restored ones may be newer than what follows, by a clock that was wrong.
        if (time > last || time < before) break;
        before = time;
        sealed_size_ += event.size();
        ++sealed_count_;
    }
    stamp_sealed(offset);
}

// Moves the times of what is sealed.
void LogBatch::stamp_sealed(int64_t offset) {
    for (size_t at = 0; at < sealed_size_;) {
        const std::string_view event = first_event(text_.view().substr(at));
        const size_t size = event.size();
        set_time(
            event, moved(number_at(event), offset),
            [&](size_t place, std::string_view digits) { text_.overwrite(at + place, digits); });
        at += size;
    }
}

std::string_view LogBatch::sealed() const {
    return sealed_size_ == 0 ? std::string_view() : text_.view().substr(1, sealed_size_ - 1);
}

void LogBatch::drop() {
    text_.erase(0, sealed_size_);
    sealed_size_ = sealed_count_ = 0;
    ++drops_;
}

void LogBatch::unseal() {
    stamp_sealed(-offset_);
    sealed_size_ = sealed_count_ = 0;
}

}  // namespace ota
