// Lawicel's serial line CAN: frames as lines of text (CAN232 manual; python-can's slcan; Linux'
// slcan.c).
#pragma once

#include "base/fixed.hpp"
#include "ports/can_frame.hpp"

namespace ota {

// The longest: "D", eight digits of identifier, the length, 64 bytes, a time of four digits.
using SlcanLine = FixedString<1 + 8 + 1 + 128 + 4>;

// A line without its CR: t and T classic, r and R remote, d D b B CAN FD. False: something else, or
// malformed, as a classic frame of more than eight bytes.
bool parse_slcan(std::string_view line, CanFrame& out);
// Without the CR.
SlcanLine write_slcan(const CanFrame& frame);
// The command that sets the rate, "S6" for 500,000; empty: there is none.
std::string_view slcan_rate(uint32_t bitrate);

}  // namespace ota
