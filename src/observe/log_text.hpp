#pragma once

#include "base/fixed.hpp"
#include "ports/log.hpp"

namespace ota {

// A record as a line without its end: time (or the time since the start, "+12.345"), level letter,
// tag, boot and number, text.
using RecordLine = FixedString<kMaxLogLine + 80>;
void format_record(const LogRecord& record, RecordLine& line);

// Boot and number, "1a2b3c4d:17": finds lines that were sent twice.
FixedString<20> record_number(const LogRecord& record);

// A time in milliseconds with all its digits: events are stamped in place, and so are metrics.
inline constexpr size_t kStampDigits = 13;  // of milliseconds since 1970, for 250 years to come
FixedString<kStampDigits> stamp_text(uint64_t milliseconds);

char level_letter(LogLevel level);

}  // namespace ota
