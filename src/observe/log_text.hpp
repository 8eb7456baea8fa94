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

char level_letter(LogLevel level);

}  // namespace ota
