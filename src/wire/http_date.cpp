#include "wire/http_date.hpp"

#include "base/text.hpp"
#include "wire/calendar.hpp"

namespace ota {
namespace {

constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";

// A blank in the place of the tens counts as zero.
std::optional<int> number(std::string_view text) {
    if (text.starts_with(' ')) text.remove_prefix(1);
    uint64_t value = 0;
    if (!parse_decimal(text, value)) return std::nullopt;
    return static_cast<int>(value);
}

std::optional<int> month_number(std::string_view name) {
    const size_t at = kMonths.find(name);
    if (name.size() != 3 || at == std::string_view::npos || at % 3 != 0) return std::nullopt;
    return static_cast<int>(at / 3) + 1;
}

std::optional<int64_t> seconds_of_day(std::string_view time) {
    if (time.size() != 8 || time[2] != ':' || time[5] != ':') return std::nullopt;
    const auto hour = number(time.substr(0, 2));
    const auto minute = number(time.substr(3, 2));
    const auto second = number(time.substr(6, 2));
    if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) {
        return std::nullopt;
    }
    return (int64_t{*hour} * 60 + *minute) * 60 + *second;
}

std::optional<UnixTime> combine(std::optional<int> year, std::optional<int> month,
                                std::optional<int> day, std::optional<int64_t> seconds) {
    if (!year || !month || !day || !seconds) return std::nullopt;
    if (*year < 1970 || *day < 1 || *day > 31) return std::nullopt;
    return days_since_epoch(*year, *month, *day) * 86400 + *seconds;
}

}  // namespace

std::optional<UnixTime> parse_http_date(std::string_view text) {
    if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
    return combine(number(text.substr(12, 4)), month_number(text.substr(8, 3)),
                   number(text.substr(5, 2)), seconds_of_day(text.substr(17, 8)));
}

std::optional<UnixTime> parse_compile_time(std::string_view date, std::string_view time) {
    if (date.size() != 11) return std::nullopt;
    return combine(number(date.substr(7, 4)), month_number(date.substr(0, 3)),
                   number(date.substr(4, 2)), seconds_of_day(time));
}

}  // namespace ota
