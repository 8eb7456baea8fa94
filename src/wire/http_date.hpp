#pragma once

#include <optional>
#include <string_view>

#include "ports/clock.hpp"

namespace ota {

// IMF-fixdate (RFC 9110 5.6.7), "Sun, 06 Nov 1994 08:49:37 GMT"; the obsolete forms are not taken.
std::optional<UnixTime> parse_http_date(std::string_view text);

// The form of the app descriptor (__DATE__ and __TIME__), "Nov  6 1994" and "08:49:37", read as
// UTC.
std::optional<UnixTime> parse_compile_time(std::string_view date, std::string_view time);

}  // namespace ota
