// The Gregorian calendar in UTC, without a time zone or a locale.
#pragma once

#include <optional>
#include <string_view>

#include "base/fixed.hpp"
#include "ports/clock.hpp"

namespace ota {

// Days since 1970-01-01; month 1…12, day 1…31. Years from 0 on.
int64_t days_since_epoch(int64_t year, int64_t month, int64_t day);

// RFC 3339: 2026-11-30T01:02:03Z.
using Rfc3339Text = FixedString<20>;
Rfc3339Text rfc3339_text(UnixTime time);
// Whole seconds in UTC; a fraction is passed by.
std::optional<UnixTime> parse_rfc3339(std::string_view text);

// ISO 8601's basic format, as AWS signs it: 20261130T010203Z.
using BasicTimeText = FixedString<16>;
BasicTimeText basic_time_text(UnixTime time);

}  // namespace ota
