#include "observe/cloudwatch_answer.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "wire/json.hpp"

namespace ota {
namespace {

using TypeName = FixedString<96>;

template <size_t N>
Status take_text(JsonReader& in, FixedString<N>& out) {
    OTA_TRY_ASSIGN(const JsonToken token, in.next());
    if (token == JsonToken::kText) return in.take_text(out);
    return in.pass(token);
}

Status parse_error(std::string_view answer, TypeName& type, FixedString<128>& token) {
    JsonReader in(answer);
    OTA_TRY_ASSIGN(const JsonToken first, in.next());
    if (first != JsonToken::kObjectBegin) return in.pass(first);
    return each_member(in, [&](std::string_view name) -> Status {
        if (name == "__type") return take_text(in, type);
        if (name == "expectedSequenceToken") return take_text(in, token);
        OTA_TRY_ASSIGN(const JsonToken value, in.next());
        return in.pass(value);
    });
}

// "…#ResourceNotFoundException": what is before the mark is the service's affair.
std::string_view name_of(std::string_view type) {
    const size_t mark = type.rfind('#');
    return mark == std::string_view::npos ? type : type.substr(mark + 1);
}

LogFault fault_of(std::string_view name, uint16_t status) {
    struct Named {
        std::string_view name;
        LogFault fault;
    };
    static constexpr Named kNamed[] = {
        {"ResourceNotFoundException", LogFault::kNoStream},
        {"ResourceAlreadyExistsException", LogFault::kExists},
        {"DataAlreadyAcceptedException", LogFault::kAccepted},
        {"InvalidSequenceTokenException", LogFault::kToken},
        {"InvalidParameterException", LogFault::kBatch},
        {"ExpiredTokenException", LogFault::kCredentials},
        {"ExpiredToken", LogFault::kCredentials},
        {"UnrecognizedClientException", LogFault::kCredentials},
        {"InvalidSignatureException", LogFault::kCredentials},
        {"RequestTimeTooSkewed", LogFault::kCredentials},
        {"AccessDeniedException", LogFault::kForbidden},
    };
    for (const Named& named : kNamed) {
        if (named.name == name) return named.fault;
    }
    // Without a name that is known: what the status says (RFC 9110 15).
    return status == 403 ? LogFault::kCredentials : LogFault::kThrottled;
}

struct Rejected {
    uint64_t too_new = UINT64_MAX;  // from this event on
    uint64_t too_old = 0;           // up to, not including, this one
};

Status take_rejected(JsonReader& in, Rejected& out) {
    return each_member(in, [&](std::string_view name) -> Status {
        OTA_TRY_ASSIGN(const JsonToken token, in.next());
        if (token != JsonToken::kNumber) return in.pass(token);
        uint64_t number = 0;
        OTA_TRY(in.take_number(token, number));
        if (name == "tooNewLogEventStartIndex") out.too_new = number;
        const bool is_end = name == "tooOldLogEventEndIndex" || name == "expiredLogEventEndIndex";
        if (is_end) out.too_old = std::max(out.too_old, number);
        return {};
    });
}

Status parse_rejected(std::string_view answer, Rejected& out) {
    JsonReader in(answer);
    OTA_TRY_ASSIGN(const JsonToken first, in.next());
    if (first != JsonToken::kObjectBegin) return in.pass(first);
    return each_member(in, [&](std::string_view name) -> Status {
        OTA_TRY_ASSIGN(const JsonToken token, in.next());
        const bool ours = name == "rejectedLogEventsInfo" && token == JsonToken::kObjectBegin;
        return ours ? take_rejected(in, out) : in.pass(token);
    });
}

}  // namespace

void parse_log_refusal(uint16_t status, std::string_view answer, LogRefusal& out) {
    out = {};
    if (status == 200) return;
    TypeName type;
    if (!parse_error(answer, type, out.token).ok()) type.clear();
    // It goes into the next request as it is.
    const std::string_view token = out.token.view();
    const bool is_plain = std::all_of(token.begin(), token.end(), [](char c) {
        return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
    });
    if (!is_plain) out.token.clear();
    out.fault = fault_of(name_of(type.view()), status);
}

uint32_t count_rejected_events(std::string_view answer, size_t events) {
    Rejected rejected;
    if (!parse_rejected(answer, rejected).ok()) return 0;
    const uint64_t too_old = std::min<uint64_t>(rejected.too_old, events);
    const uint64_t too_new = rejected.too_new < events ? events - rejected.too_new : 0;
    return static_cast<uint32_t>(std::min<uint64_t>(events, too_old + too_new));
}

}  // namespace ota
