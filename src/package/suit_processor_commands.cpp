// What single commands ask of the hosts: conditions and directives, with their parameters.
#include "package/suit_processor.hpp"
#include "wire/sha256.hpp"
#include "wire/suit_auth.hpp"

namespace ota {
namespace {

constexpr Status kMissing{Code::kMalformed, Origin::kPackage, Detail::kParameterMissing};

constexpr Status incompatible(Detail detail) {
    return {Code::kIncompatible, Origin::kVerify, detail};
}

// What a false condition means for the update.
Status falsehood(int64_t code) {
    switch (code) {
        case suit::kConditionVendorId:
            return incompatible(Detail::kVendorId);
        case suit::kConditionClassId:
            return incompatible(Detail::kClassId);
        case suit::kConditionDeviceId:
            return incompatible(Detail::kDeviceId);
        case suit::kConditionComponentSlot:
            return incompatible(Detail::kComponentSlot);
        case suit::kConditionUseBefore:
            return incompatible(Detail::kExpired);
        case suit::kConditionVersion:
            return incompatible(Detail::kVersionCondition);
        case suit::kConditionImageMatch:
        case suit::kConditionCheckContent:
            return {Code::kUntrusted, Origin::kVerify, Detail::kImageDigest};
        case suit::kConditionImageNotMatch:
            return {Code::kNoUpdate, Origin::kVerify, Detail::kImageIsThere};
        case suit::kConditionMinimumBattery:
            return {Code::kUnsafe, Origin::kSafety, Detail::kMinimumBattery};
        case suit::kConditionUpdateAuthorized:
            return {Code::kUnsafe, Origin::kSafety, Detail::kNotAuthorized};
        default:
            return incompatible(Detail::kAbortCommand);
    }
}

// Settled by the configuration, not by a board.
bool is_identity(int64_t code) {
    return code == suit::kConditionVendorId || code == suit::kConditionClassId ||
           code == suit::kConditionDeviceId;
}

struct ConditionForm {
    ConditionKind kind;
    suit::Parameter parameter;
    bool is_number;
};

std::optional<ConditionForm> form_of(int64_t code) {
    switch (code) {
        case suit::kConditionVendorId:
            return ConditionForm{ConditionKind::kVendor, suit::kVendorId, false};
        case suit::kConditionClassId:
            return ConditionForm{ConditionKind::kClass, suit::kClassId, false};
        case suit::kConditionDeviceId:
            return ConditionForm{ConditionKind::kDevice, suit::kDeviceId, false};
        case suit::kConditionVersion:
            return ConditionForm{ConditionKind::kVersion, suit::kVersionMatch, false};
        case suit::kConditionComponentSlot:
            return ConditionForm{ConditionKind::kSlot, suit::kComponentSlot, true};
        case suit::kConditionUseBefore:
            return ConditionForm{ConditionKind::kUseBefore, suit::kUseBefore, true};
        case suit::kConditionMinimumBattery:
            return ConditionForm{ConditionKind::kMinimumBattery, suit::kMinimumBattery, true};
        case suit::kConditionUpdateAuthorized:
            return ConditionForm{ConditionKind::kAuthorized, suit::kUpdatePriority, true};
        default:
            return std::nullopt;
    }
}

}  // namespace

// ---------------------------------------------------------------- conditions

// The encoded value and what follows it; empty when it is not set.
Bytes SuitProcessor::parameter(size_t component, suit::Parameter key) const {
    const uint16_t at = parameters_[component][static_cast<size_t>(key)];
    return at == 0 ? Bytes() : manifest_->buffer().subspan(at);
}

Result<uint64_t> SuitProcessor::number_of(size_t component, suit::Parameter key) const {
    const Bytes value = parameter(component, key);
    if (value.empty()) return kMissing;
    CborReader reader(value);
    OTA_TRY_ASSIGN(const int64_t number, reader.number());
    return static_cast<uint64_t>(number);
}

Result<Bytes> SuitProcessor::bytes_of(size_t component, suit::Parameter key) const {
    const Bytes value = parameter(component, key);
    if (value.empty()) return kMissing;
    CborReader reader(value);
    if (key != suit::kUri) return reader.bytes();
    OTA_TRY_ASSIGN(const std::string_view text, reader.text());
    return as_bytes(text);
}

Status SuitProcessor::condition(int64_t code, size_t component) {
    const auto evaluate = [&]() -> Result<bool> {
        switch (code) {
            case suit::kConditionAbort:
                return false;
            case suit::kConditionImageMatch:
            case suit::kConditionImageNotMatch:
            case suit::kConditionCheckContent:
                return image_matches(code, component);
            default:
                return ask(code, component);
        }
    };
    const Result<bool> holds = evaluate();
    const bool missing = holds.status().detail() == Detail::kParameterMissing;
    if (!holds.ok() && !missing) return holds.status();
    if (!holds.ok() || !*holds) {
        Status why = missing ? kMissing : falsehood(code);
        // What a board is or holds says nothing about the package; what it is asked for does.
        const bool of_board =
            manifest_->component(component).kind == ComponentKind::kModule && !is_identity(code);
        if (of_board && !missing) why = {why.code(), Origin::kModules, why.detail()};
        return condition_failed(why);
    }
    if (code == suit::kConditionVendorId) vendor_checked_ |= 1U << component;
    if (code == suit::kConditionClassId) class_checked_ |= 1U << component;
    ++frames_.back().at;
    return {};
}

Result<bool> SuitProcessor::ask(int64_t code, size_t component) {
    const std::optional<ConditionForm> form = form_of(code);
    if (!form) return Status{Code::kInternal, Origin::kPackage, Detail::kCommandUnknown};
    Condition condition;
    condition.kind = form->kind;
    condition.component = manifest_->component(component);
    if (form->is_number) {
        const Result<uint64_t> number = number_of(component, form->parameter);
        // An authorization may be asked for without a priority.
        const bool optional = form->kind == ConditionKind::kAuthorized;
        if (!number.ok() && !optional) return number.status();
        if (number.ok()) condition.number = *number;
    } else {
        OTA_TRY_ASSIGN(condition.bytes, bytes_of(component, form->parameter));
    }
    return conditions_.check(condition);
}

Result<bool> SuitProcessor::image_matches(int64_t code, size_t component) {
    Digest digest{};
    uint64_t size = 0;
    if (code == suit::kConditionCheckContent) {
        OTA_TRY_ASSIGN(const Bytes content, bytes_of(component, suit::kContent));
        OTA_TRY(sha256(content, digest));
        size = content.size();
    } else {
        FetchOrder order;
        OTA_TRY(digest_and_size(component, order));
        digest = order.digest;
        size = order.size;
    }
    OTA_TRY_ASSIGN(const bool equal,
                   components_.match(manifest_->component(component), digest, size));
    return equal == (code != suit::kConditionImageNotMatch);
}

// ---------------------------------------------------------------- directives

Status SuitProcessor::digest_and_size(size_t component, FetchOrder& out) const {
    OTA_TRY_ASSIGN(const Bytes item, bytes_of(component, suit::kImageDigest));
    OTA_TRY_ASSIGN(const Bytes digest, parse_suit_digest(item));
    std::copy(digest.begin(), digest.end(), out.digest.begin());
    OTA_TRY_ASSIGN(out.size, number_of(component, suit::kImageSize));
    return {};
}

Status SuitProcessor::order_of(size_t component, FetchOrder& out) const {
    OTA_TRY(digest_and_size(component, out));
    const Result<Bytes> uri = bytes_of(component, suit::kUri);
    if (uri.ok()) {
        out.uri = {reinterpret_cast<const char*>((*uri).data()), (*uri).size()};
    }
    const Result<Bytes> arguments = bytes_of(component, suit::kFetchArguments);
    if (arguments.ok()) out.arguments = *arguments;
    const Result<Bytes> encryption = bytes_of(component, suit::kEncryptionInfo);
    if (encryption.ok()) out.encryption = *encryption;
    return {};
}

Status SuitProcessor::directive(int64_t code, size_t component) {
    const ComponentRef target = manifest_->component(component);
    FetchOrder order;
    switch (code) {
        case suit::kFetch:
            OTA_TRY(order_of(component, order));
            return order.uri.empty() ? kMissing : components_.fetch(target, order);
        case suit::kCopy: {
            OTA_TRY(order_of(component, order));
            OTA_TRY_ASSIGN(const uint64_t source, number_of(component, suit::kSourceComponent));
            if (source >= manifest_->component_count()) {
                return {Code::kMalformed, Origin::kPackage, Detail::kComponentIndex};
            }
            return components_.copy(manifest_->component(static_cast<size_t>(source)), target,
                                    order);
        }
        case suit::kWrite: {
            OTA_TRY_ASSIGN(const Bytes content, bytes_of(component, suit::kContent));
            const Result<Bytes> encryption = bytes_of(component, suit::kEncryptionInfo);
            return components_.write(target, content, encryption.ok() ? *encryption : Bytes());
        }
        case suit::kWait: {
            OTA_TRY_ASSIGN(const Bytes info, bytes_of(component, suit::kWaitInfo));
            return conditions_.wait(info);
        }
        default:
            return conditions_.invoke(target);
    }
}

}  // namespace ota
