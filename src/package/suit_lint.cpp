#include "package/suit_lint.hpp"

#include <optional>

#include "wire/cose_encrypt.hpp"
#include "wire/suit_auth.hpp"

namespace ota {
namespace {

constexpr int kMaxDepth = 4;
constexpr uint64_t kMaxReportPolicy = 15;
constexpr size_t kMaxAlternatives = 16;

constexpr Status malformed(Detail detail) {
    return {Code::kMalformed, Origin::kPackage, detail};
}
constexpr Status unknown(Detail detail) {
    return {Code::kIncompatible, Origin::kPackage, detail};
}

bool is_condition(int64_t code) {
    switch (code) {
        case suit::kConditionVendorId:
        case suit::kConditionClassId:
        case suit::kConditionImageMatch:
        case suit::kConditionUseBefore:
        case suit::kConditionComponentSlot:
        case suit::kConditionCheckContent:
        case suit::kConditionAbort:
        case suit::kConditionDeviceId:
        case suit::kConditionImageNotMatch:
        case suit::kConditionMinimumBattery:
        case suit::kConditionUpdateAuthorized:
        case suit::kConditionVersion:
            return true;
        default:
            return false;
    }
}

bool is_directive(int64_t code) {
    return code == suit::kWrite || code == suit::kFetch || code == suit::kCopy ||
           code == suit::kInvokeComponent || code == suit::kWait;
}

// Side effects have their section: none in the shared sequence, the restart in invoke, waiting
// before the install.
bool may_stand(int64_t code, int64_t section) {
    if (is_condition(code) || code == suit::kSetComponentIndex || code == suit::kTryEach ||
        code == suit::kRunSequence || code == suit::kOverrideParameters ||
        code == suit::kSetParameters) {
        return true;
    }
    switch (section) {
        case suit::kPayloadFetch:
            return code == suit::kFetch || code == suit::kWrite || code == suit::kCopy;
        case suit::kInstall:
            return code == suit::kCopy || code == suit::kWait;
        case suit::kInvoke:
            return code == suit::kInvokeComponent;
        default:
            return false;
    }
}

Status lint_index(Bytes argument, size_t components) {
    CborReader reader(argument);
    OTA_TRY_ASSIGN(const CborType type, reader.peek());
    const auto check = [&]() -> Status {
        OTA_TRY_ASSIGN(const uint64_t index, reader.unsigned_number());
        return index < components ? kOkStatus : malformed(Detail::kComponentIndex);
    };
    if (type == CborType::kUint) return check();
    if (type == CborType::kSimple) {
        const Result<bool> all = reader.boolean();
        return all.ok() && *all ? kOkStatus : malformed(Detail::kComponentIndex);
    }
    OTA_TRY_ASSIGN(const size_t count, reader.array());
    if (count == 0 || count > kMaxComponents) return malformed(Detail::kComponentIndex);
    for (size_t i = 0; i < count; ++i) OTA_TRY(check());
    return {};
}

struct ParameterForm {
    CborType type;
    size_t longest;  // of strings; 0 = any
    size_t exact;    // 0 = any
};

// Null type for parameters that this device does not know.
std::optional<ParameterForm> form_of(int64_t key) {
    switch (key) {
        case suit::kVendorId:
        case suit::kClassId:
        case suit::kDeviceId:
            return ParameterForm{CborType::kBytes, 16, 16};
        case suit::kImageDigest:
        case suit::kEncryptionInfo:
        case suit::kInvokeArguments:
        case suit::kFetchArguments:
        case suit::kVersionMatch:
        case suit::kWaitInfo:
            return ParameterForm{CborType::kBytes, 512, 0};
        case suit::kContent:
            return ParameterForm{CborType::kBytes, kMaxContent, 0};
        case suit::kUri:
            return ParameterForm{CborType::kText, kMaxUriParameter, 0};
        case suit::kUseBefore:
        case suit::kComponentSlot:
        case suit::kImageSize:
        case suit::kSourceComponent:
        case suit::kMinimumBattery:
            return ParameterForm{CborType::kUint, 0, 0};
        case suit::kStrictOrder:
        case suit::kSoftFailure:
            return ParameterForm{CborType::kSimple, 0, 0};
        case suit::kUpdatePriority:
            return ParameterForm{CborType::kNint, 0, 0};  // or kUint
        default:
            return std::nullopt;
    }
}

// [operator, [+int]]
Status lint_version_match(Bytes value) {
    constexpr uint64_t kOperators = 5;
    constexpr size_t kMaxParts = 8;
    CborReader reader(value);
    OTA_TRY_ASSIGN(const size_t members, reader.array());
    if (members != 2) return malformed(Detail::kCborForm);
    OTA_TRY_ASSIGN(const uint64_t comparison, reader.unsigned_number());
    if (comparison == 0 || comparison > kOperators) return unknown(Detail::kVersionCondition);
    OTA_TRY_ASSIGN(const size_t parts, reader.array());
    if (parts == 0 || parts > kMaxParts) return malformed(Detail::kCborForm);
    for (size_t i = 0; i < parts; ++i) OTA_TRY(reader.number().status());
    return reader.at_end() ? kOkStatus : malformed(Detail::kTrailingBytes);
}

// {event => number}: authorization, time, time of day and day of week in UTC. The others have no
// defined value, or need a time zone.
Status lint_wait_info(Bytes value) {
    CborReader reader(value);
    OTA_TRY_ASSIGN(const size_t events, reader.map());
    CborKeyOrder order;
    for (size_t i = 0; i < events; ++i) {
        OTA_TRY_ASSIGN(const int64_t event, reader.number());
        OTA_TRY(order.next(event));
        if (event == suit::kWaitAuthorization) {
            OTA_TRY(reader.number().status());
            continue;
        }
        const bool timed = event == suit::kWaitTime || event == suit::kWaitTimeOfDayUtc ||
                           event == suit::kWaitDayOfWeekUtc;
        if (!timed) return unknown(Detail::kParameterUnknown);
        OTA_TRY_ASSIGN(const uint64_t argument, reader.unsigned_number());
        const bool beyond = (event == suit::kWaitTimeOfDayUtc && argument >= 86400) ||
                            (event == suit::kWaitDayOfWeekUtc && argument >= 7);
        if (beyond) return unknown(Detail::kParameterUnknown);
    }
    return reader.at_end() ? kOkStatus : malformed(Detail::kTrailingBytes);
}

Status lint_value(int64_t key, CborReader& reader) {
    const std::optional<ParameterForm> form = form_of(key);
    if (!form) return unknown(Detail::kParameterUnknown);
    switch (form->type) {
        case CborType::kUint:
            return reader.unsigned_number().status();
        case CborType::kNint:
            return reader.number().status();
        case CborType::kSimple:
            return reader.boolean().status();
        default:
            break;
    }
    const bool is_text = form->type == CborType::kText;
    Bytes value;
    if (is_text) {
        OTA_TRY_ASSIGN(const std::string_view text, reader.text());
        value = as_bytes(text);
    } else {
        OTA_TRY_ASSIGN(value, reader.bytes());
    }
    const bool fits =
        value.size() <= form->longest && (form->exact == 0 || value.size() == form->exact);
    if (!fits) return malformed(Detail::kCborForm);
    switch (key) {
        case suit::kImageDigest:
            return parse_suit_digest(value).status();
        case suit::kVersionMatch:
            return lint_version_match(value);
        case suit::kWaitInfo:
            return lint_wait_info(value);
        case suit::kEncryptionInfo: {
            CoseEncrypt info;
            if constexpr (!build::kEncryption) return {};  // refused when its payload is wanted
            return parse_cose_encrypt(value, info);
        }
        default:
            return {};
    }
}

Status lint_parameters(Bytes argument, const SuitLintPlace& place) {
    CborReader reader(argument);
    OTA_TRY_ASSIGN(const size_t pairs, reader.map());
    CborKeyOrder order;
    for (size_t i = 0; i < pairs; ++i) {
        OTA_TRY_ASSIGN(const int64_t key, reader.number());
        OTA_TRY(order.next(key));
        const bool soft_at_top = key == suit::kSoftFailure && place.depth == 0;
        if (soft_at_top) return malformed(Detail::kSoftFailurePlace);
        OTA_TRY(lint_value(key, reader));
    }
    return {};
}

SuitLintPlace deeper(const SuitLintPlace& place) {
    return {place.section, place.components, place.depth + 1};
}

// Sequences, of which the last of several may be null: "or nothing".
Status lint_alternatives(Bytes argument, const SuitLintPlace& place) {
    CborReader reader(argument);
    OTA_TRY_ASSIGN(const size_t count, reader.array());
    if (count == 0 || count > kMaxAlternatives) return malformed(Detail::kCborForm);
    for (size_t i = 0; i < count; ++i) {
        const bool last = i != 0 && i + 1 == count;
        if (last && reader.null().ok()) return {};
        OTA_TRY_ASSIGN(const Bytes body, reader.bytes());
        OTA_TRY(lint_sequence(body, deeper(place)));
    }
    return {};
}

Status lint_command(const SuitCommand& command, const SuitLintPlace& place) {
    CborReader argument(command.argument);
    if (is_condition(command.code) || is_directive(command.code)) {
        OTA_TRY_ASSIGN(const uint64_t policy, argument.unsigned_number());
        if (policy > kMaxReportPolicy) return malformed(Detail::kCborForm);
        return may_stand(command.code, place.section) ? kOkStatus
                                                      : malformed(Detail::kCommandPlace);
    }
    switch (command.code) {
        case suit::kSetComponentIndex:
            return lint_index(command.argument, place.components);
        case suit::kSetParameters:
        case suit::kOverrideParameters:
            return lint_parameters(command.argument, place);
        case suit::kTryEach:
            return lint_alternatives(command.argument, place);
        case suit::kRunSequence: {
            OTA_TRY_ASSIGN(const Bytes body, argument.bytes());
            return lint_sequence(body, deeper(place));
        }
        default:
            // A command of the private range in the shared sequence is in the wrong place, too.
            return place.section == suit::kSharedSequence && command.code < 0
                       ? malformed(Detail::kCommandPlace)
                       : unknown(Detail::kCommandUnknown);
    }
}

}  // namespace

// Recursion no deeper than kMaxDepth.
Status lint_sequence(Bytes sequence, const SuitLintPlace& place) {
    if (place.depth > kMaxDepth) return malformed(Detail::kNestingTooDeep);
    CborReader reader(sequence);
    OTA_TRY_ASSIGN(const size_t items, reader.array());
    if (items == 0 || items % 2 != 0) return malformed(Detail::kCborForm);
    for (size_t i = 0; i < items / 2; ++i) {
        SuitCommand command;
        OTA_TRY(next_command(reader, command));
        // Which component is meant has to be said where there are several.
        const bool unsaid = i == 0 && place.depth == 0 && place.components > 1 &&
                            command.code != suit::kSetComponentIndex;
        if (unsaid) return malformed(Detail::kComponentIndex);
        OTA_TRY(lint_command(command, place));
    }
    return reader.at_end() ? kOkStatus : malformed(Detail::kTrailingBytes);
}

}  // namespace ota
