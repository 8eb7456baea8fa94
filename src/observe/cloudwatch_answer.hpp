// What CloudWatch Logs answers (API reference, "Common errors" and PutLogEvents).
#pragma once

#include <string_view>

#include "base/fixed.hpp"

namespace ota {

// What to do about a request that was refused.
enum class LogFault : uint8_t {
    kNone,
    kNoStream,     // or no group
    kExists,       // what was to be created
    kAccepted,     // before
    kToken,        // of an older service
    kThrottled,    // or out of order: later
    kBatch,        // not taken as it is
    kCredentials,  // expired, or the clock is wrong
    kForbidden,
};

struct LogRefusal {
    LogFault fault = LogFault::kNone;
    FixedString<128> token;  // that an older service wants with the next batch; alphanumeric
};

// Of any answer: it may also be XML, or a page of something in between.
void parse_log_refusal(uint16_t status, std::string_view answer, LogRefusal& out);

// Of a batch of so many events that was taken: how many of them were not.
uint32_t count_rejected_events(std::string_view answer, size_t events);

}  // namespace ota
