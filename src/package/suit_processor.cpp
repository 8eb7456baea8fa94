#include "package/suit_processor.hpp"

namespace ota {
namespace {

constexpr Status kOver{Code::kInternal, Origin::kPackage};  // asked again after its end
constexpr Status kDone{Code::kEndOfData, Origin::kPackage};

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
        return {Code::kIncompatible, Origin::kVerify, Detail::kNoCompatibilityCheck};
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

}  // namespace ota
