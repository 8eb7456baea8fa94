#include "package/suit_processor.hpp"

#include "wire/sha256.hpp"
#include "wire/suit_auth.hpp"

namespace ota {
namespace {

constexpr Status kMissing{Code::kMalformed, Origin::kPackage, Detail::kParameterMissing};
constexpr Status kOver{Code::kInternal, Origin::kPackage};  // asked again after its end
constexpr Status kDone{Code::kEndOfData, Origin::kPackage};

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

void SuitProcessor::begin(const SuitManifest& manifest, suit::Member section) {
    manifest_ = &manifest;
    section_ = section;
    executed_ = 0;
    vendor_checked_ = class_checked_ = 0;
    parameters_ = {};
    frames_.clear();
    stage_ = Stage::kFresh;
}

size_t SuitProcessor::position() const {
    return frames_.empty() ? 0 : frames_[0].reader.position();
}

uint64_t SuitProcessor::image_size(size_t component) const {
    const Result<uint64_t> size = number_of(component, suit::kImageSize);
    return size.ok() ? *size : 0;
}

// ---------------------------------------------------------------- sequences

Status SuitProcessor::enter(Kind kind, Bytes sequence, uint8_t component) {
    Frame frame;
    frame.kind = kind;
    frame.soft = kind == Kind::kAlternative;
    frame.reader = CborReader(sequence);
    OTA_TRY_ASSIGN(const size_t items, frame.reader.array());
    frame.commands_left = items / 2;
    frame.selection.first = component;
    const bool fits = frames_.push_back(frame);
    return fits ? kOkStatus : Status{Code::kMalformed, Origin::kPackage, Detail::kNestingTooDeep};
}

// The section proper, after the shared sequence: each component has to have been checked there.
Status SuitProcessor::begin_section() {
    stage_ = Stage::kSection;
    const uint32_t all = (1U << manifest_->component_count()) - 1;
    if (vendor_checked_ != all || class_checked_ != all) {
        return incompatible(Detail::kNoCompatibilityCheck);
    }
    const Bytes section = manifest_->section(section_);
    return section.empty() ? kDone : enter(Kind::kTop, section, 0);
}

// A sequence has come to its end, and well.
Status SuitProcessor::leave() {
    frames_.pop_back();
    if (frames_.empty()) return stage_ == Stage::kShared ? begin_section() : kDone;
    Frame& parent = frames_.back();
    ++parent.at;
    parent.alternative = 0;
    return {};
}

// A false condition ends its sequence. What that means is up to who started the sequence.
Status SuitProcessor::condition_failed(Status why) {
    while (true) {
        const Kind kind = frames_.back().kind;
        const bool soft = frames_.back().soft;
        frames_.pop_back();
        if (frames_.empty()) return why;
        Frame& parent = frames_.back();
        if (kind == Kind::kAlternative) {
            if (soft) {
                parent.why = why;
                return {};  // the next alternative
            }
        } else if (soft) {
            ++parent.at;
            return {};
        }
    }
}

// ---------------------------------------------------------------- commands

Status SuitProcessor::step() {
    if (frames_.empty()) {
        if (stage_ != Stage::kFresh) return kOver;
        stage_ = Stage::kShared;
        return enter(Kind::kTop, manifest_->shared(), 0);
    }
    Frame& frame = frames_.back();
    if (!frame.busy) return next_command_of(frame);
    if (frame.at == frame.selection.count) {
        frame.busy = false;
        return {};
    }
    OTA_TRY_ASSIGN(const size_t component, component_at(frame.selection, frame.at));
    return execute(frame, component);
}

Status SuitProcessor::next_command_of(Frame& frame) {
    if (frame.commands_left == 0) return leave();
    if (++executed_ > kMaxCommands) {
        return {Code::kMalformed, Origin::kPackage, Detail::kCommandBudget};
    }
    OTA_TRY(next_command(frame.reader, frame.command));
    --frame.commands_left;
    if (frame.command.code == suit::kSetComponentIndex) return select(frame);
    frame.busy = true;
    frame.at = frame.alternative = 0;
    return {};
}

Status SuitProcessor::select(Frame& frame) {
    CborReader reader(frame.command.argument);
    OTA_TRY_ASSIGN(const CborType type, reader.peek());
    Selection selection;
    if (type == CborType::kArray) {
        selection.list = frame.command.argument;
        OTA_TRY_ASSIGN(const size_t count, reader.array());
        selection.count = static_cast<uint8_t>(count);
    } else if (type == CborType::kSimple) {
        selection.count = static_cast<uint8_t>(manifest_->component_count());
    } else {
        OTA_TRY_ASSIGN(const uint64_t index, reader.unsigned_number());
        selection.first = static_cast<uint8_t>(index);
    }
    frame.selection = selection;
    return {};
}

Result<size_t> SuitProcessor::component_at(const Selection& selection, uint8_t at) const {
    size_t index = size_t{selection.first} + at;
    if (!selection.list.empty()) {
        CborReader reader(selection.list);
        OTA_TRY(reader.array().status());
        for (uint8_t i = 0; i <= at; ++i) {
            OTA_TRY_ASSIGN(const uint64_t listed, reader.unsigned_number());
            index = static_cast<size_t>(listed);
        }
    }
    if (index < manifest_->component_count()) return index;
    return Status{Code::kMalformed, Origin::kPackage, Detail::kComponentIndex};
}

Status SuitProcessor::execute(Frame& frame, size_t component) {
    const int64_t code = frame.command.code;
    switch (code) {
        case suit::kSetParameters:
        case suit::kOverrideParameters:
            OTA_TRY(set_parameters(frame, component, code == suit::kOverrideParameters));
            ++frame.at;
            return {};
        case suit::kTryEach:
            return try_each(frame, component);
        case suit::kRunSequence: {
            CborReader reader(frame.command.argument);
            OTA_TRY_ASSIGN(const Bytes body, reader.bytes());
            return enter(Kind::kRun, body, static_cast<uint8_t>(component));
        }
        case suit::kWrite:
        case suit::kFetch:
        case suit::kCopy:
        case suit::kInvokeComponent:
        case suit::kWait:
            // Fails the procedure whatever the sequence allows: it has left traces.
            OTA_TRY(directive(code, component));
            ++frame.at;
            return {};
        default:
            OTA_TRY(condition(code, component));
            return {};
    }
}

Status SuitProcessor::set_parameters(Frame& frame, size_t component, bool override_old) {
    CborReader reader(frame.command.argument);
    OTA_TRY_ASSIGN(const size_t pairs, reader.map());
    for (size_t i = 0; i < pairs; ++i) {
        OTA_TRY_ASSIGN(const int64_t key, reader.number());
        OTA_TRY_ASSIGN(const Bytes value, reader.item());
        if (key < 0 || key > suit::kLastParameter) continue;  // the lint pass knows none
        if (key == suit::kSoftFailure) {
            CborReader soft(value);
            OTA_TRY_ASSIGN(frame.soft, soft.boolean());
            continue;
        }
        uint16_t& slot = parameters_[component][static_cast<size_t>(key)];
        if (!override_old && slot != 0) continue;
        slot = static_cast<uint16_t>(value.data() - manifest_->buffer().data());
    }
    return {};
}

// Starts the next alternative; its end comes to leave() or condition_failed().
Status SuitProcessor::try_each(Frame& frame, size_t component) {
    CborReader reader(frame.command.argument);
    OTA_TRY_ASSIGN(const size_t count, reader.array());
    if (frame.alternative == count) return condition_failed(frame.why);
    for (uint8_t i = 0; i < frame.alternative; ++i) OTA_TRY(reader.item().status());
    ++frame.alternative;
    if (reader.null().ok()) {
        ++frame.at;
        frame.alternative = 0;
        return {};
    }
    OTA_TRY_ASSIGN(const Bytes body, reader.bytes());
    return enter(Kind::kAlternative, body, static_cast<uint8_t>(component));
}

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
    if (!holds.ok() || !*holds) return condition_failed(missing ? kMissing : falsehood(code));
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
            return components_.write(target, content);
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
