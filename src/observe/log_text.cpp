#include "observe/log_text.hpp"

#include <cstdio>

#include "base/text.hpp"
#include "wire/calendar.hpp"

namespace ota {

char level_letter(LogLevel level) {
    constexpr std::string_view kLetters = "-EWID";
    const auto index = static_cast<size_t>(level);
    return index < kLetters.size() ? kLetters[index] : '?';
}

FixedString<20> record_number(const LogRecord& record) {
    std::array<char, 24> text{};
    std::snprintf(text.data(), text.size(), "%08lx:%lu", static_cast<unsigned long>(record.boot),
                  static_cast<unsigned long>(record.sequence));
    return FixedString<20>(text.data());
}

FixedString<kStampDigits> stamp_text(uint64_t milliseconds) {
    FixedString<20> digits;
    append_decimal(digits, milliseconds);
    FixedString<kStampDigits> out;
    for (size_t n = digits.view().size(); n < kStampDigits; ++n) out.append("0");
    out.append(digits.view());
    return out;
}

void format_record(const LogRecord& record, RecordLine& line) {
    if (record.wall != 0) {
        line.assign(rfc3339_text(record.wall).view());
    } else {
        std::array<char, 32> text{};
        std::snprintf(text.data(), text.size(), "+%lu.%03lu",
                      static_cast<unsigned long>(record.at / 1000),
                      static_cast<unsigned long>(record.at % 1000));
        line.assign(text.data());
    }
    const char letter = level_letter(record.level);
    line.append(" ");
    line.append({&letter, 1});
    line.append(" ");
    line.append(record.tag);
    line.append(" ");
    line.append(record_number(record).view());
    line.append(" ");
    line.append(record.text);
}

}  // namespace ota
