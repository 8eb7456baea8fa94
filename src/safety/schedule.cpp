#include "safety/schedule.hpp"

#include "wire/suit_labels.hpp"

namespace ota {
namespace {

constexpr UnixTime kDay = 86400;
constexpr uint64_t kDaysInWeek = 7;
constexpr UnixTime kThursday = 4;  // 1970-01-01; 0 = Sunday

constexpr Status kNotYet{Code::kTryAgain, Origin::kSafety};
constexpr Status kUnknown{Code::kIncompatible, Origin::kSafety, Detail::kParameterUnknown};

// Whether a start point lies in the window before now, also over midnight.
bool in_window(UnixTime second_of_day, UnixTime start) {
    const UnixTime since = (second_of_day - start + kDay) % kDay;
    return since < kWindowLength;
}

Status judge_event(int64_t event, CborReader& reader, const WaitState& state) {
    if (event == suit::kWaitAuthorization) {
        OTA_TRY(reader.number().status());
        return state.authorized ? kOkStatus : kNotYet;
    }
    const bool timed = event == suit::kWaitTime || event == suit::kWaitTimeOfDayUtc ||
                       event == suit::kWaitDayOfWeekUtc;
    if (!timed) return kUnknown;
    OTA_TRY_ASSIGN(const uint64_t argument, reader.unsigned_number());
    if (!state.clock_is_set) return kNotYet;
    if (event == suit::kWaitTime) {
        return static_cast<uint64_t>(state.wall) >= argument ? kOkStatus : kNotYet;
    }
    if (event == suit::kWaitDayOfWeekUtc) {
        if (argument >= kDaysInWeek) return kUnknown;
        const auto today = static_cast<uint64_t>((state.wall / kDay + kThursday) % 7);
        return today == argument ? kOkStatus : kNotYet;
    }
    if (argument >= static_cast<uint64_t>(kDay)) return kUnknown;
    return in_window(state.wall % kDay, static_cast<UnixTime>(argument)) ? kOkStatus : kNotYet;
}

}  // namespace

Status wait_is_over(Bytes info, const WaitState& state) {
    CborReader reader(info);
    OTA_TRY_ASSIGN(const size_t events, reader.map());
    CborKeyOrder order;
    Status verdict;
    for (size_t i = 0; i < events; ++i) {
        OTA_TRY_ASSIGN(const int64_t event, reader.number());
        OTA_TRY(order.next(event));
        const Status status = judge_event(event, reader, state);
        if (!status.ok() && !status.is(Code::kTryAgain)) return status;
        if (!status.ok()) verdict = status;
    }
    return reader.at_end() ? verdict
                           : Status{Code::kMalformed, Origin::kSafety, Detail::kTrailingBytes};
}

}  // namespace ota
