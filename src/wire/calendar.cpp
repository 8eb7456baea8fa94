#include "wire/calendar.hpp"

#include "base/text.hpp"

namespace ota {
namespace {

constexpr int64_t kDay = 86400;
constexpr int64_t kDaysTo1970 = 719468;  // from 0000-03-01

void add_padded(FixedString<20>& out, int64_t value, size_t digits) {
    FixedString<20> text;
    append_decimal(text, static_cast<uint64_t>(value));
    for (size_t n = text.view().size(); n < digits; ++n) out.append("0");
    out.append(text.view());
}

struct Civil {
    int64_t year;
    int64_t month;
    int64_t day;
};

// The years of this calculation begin in March, so that the leap day is the last one.
Civil civil_of(int64_t days) {
    const int64_t shifted = days + kDaysTo1970;
    const int64_t era = shifted / 146097;  // of 400 years
    const int64_t day_of_era = shifted % 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t shifted_month = (5 * day_of_year + 2) / 153;
    const int64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    const int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    return {era * 400 + year_of_era + (month <= 2 ? 1 : 0), month, day};
}

// The digits of a date and a time of day with what stands between them.
FixedString<20> text_of(UnixTime time, std::string_view of_date, std::string_view of_time) {
    const UnixTime known = time < 0 ? 0 : time;
    const Civil civil = civil_of(known / kDay);
    const int64_t second = known % kDay;
    FixedString<20> out;
    add_padded(out, civil.year, 4);
    out.append(of_date);
    add_padded(out, civil.month, 2);
    out.append(of_date);
    add_padded(out, civil.day, 2);
    out.append("T");
    add_padded(out, second / 3600, 2);
    out.append(of_time);
    add_padded(out, second / 60 % 60, 2);
    out.append(of_time);
    add_padded(out, second % 60, 2);
    out.append("Z");
    return out;
}

}  // namespace

int64_t days_since_epoch(int64_t year, int64_t month, int64_t day) {
    const int64_t y = month <= 2 ? year - 1 : year;
    const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - kDaysTo1970;
}

Rfc3339Text rfc3339_text(UnixTime time) {
    return text_of(time, "-", ":");
}

BasicTimeText basic_time_text(UnixTime time) {
    return BasicTimeText(text_of(time, "", "").view());
}

std::optional<UnixTime> parse_rfc3339(std::string_view text) {
    constexpr std::string_view kForm = "0000-00-00T00:00:00";
    if (text.size() <= kForm.size() || !text.ends_with('Z')) return std::nullopt;
    for (size_t i = 0; i < kForm.size(); ++i) {
        const bool fits = kForm[i] == '0' ? is_digit(text[i]) : text[i] == kForm[i];
        if (!fits) return std::nullopt;
    }
    const auto number = [&](size_t at, size_t digits) {
        int64_t value = 0;
        for (const char c : text.substr(at, digits)) value = value * 10 + (c - '0');
        return value;
    };
    const int64_t month = number(5, 2);
    const int64_t day = number(8, 2);
    const int64_t hour = number(11, 2);
    const int64_t minute = number(14, 2);
    const int64_t second = number(17, 2);
    const bool is_time = number(0, 4) >= 1970 && month >= 1 && month <= 12 && day >= 1 &&
                         day <= 31 && hour <= 23 && minute <= 59 && second <= 60;
    if (!is_time) return std::nullopt;
    return days_since_epoch(number(0, 4), month, day) * kDay + hour * 3600 + minute * 60 + second;
}

}  // namespace ota
