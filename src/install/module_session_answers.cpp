// What a board's answers mean, and what comes next.
#include "install/module_session.hpp"

namespace ota {
namespace {

constexpr Status kAgain{Code::kTryAgain, Origin::kModules};
constexpr uint8_t kConfirmations = 3;
constexpr uint32_t kProgress = 16384;  // bytes after which new starts count anew
// Between the answer to a reset and the reset itself: at least, and at most.
constexpr Millis kResetDelay = 200;
constexpr Millis kLongestReset = 10000;
constexpr uint8_t kOnTrial = 0x01;
constexpr size_t kRecordSize = 3 + 32 + 4 + 4 + 4;  // F1A1
constexpr size_t kRunningSize = 3 + 1 + 4 + 32;     // F1A3

// The bytes behind a read's service and identifier.
Bytes value_of(Bytes data) {
    return data.subspan(std::min<size_t>(3, data.size()));
}

}  // namespace

Status ModuleSession::after(Status status) {
    if (status.is(Code::kUnavailable)) return bus_is_down();
    bus_down_since_ = 0;
    if (status.is(Code::kTimeout)) return no_answer();
    repeats_ = 0;
    if (status.is(Code::kRefused)) return refused(client_->code());
    busy_ = 0;
    if (!status.ok()) return end(status.code(), Detail::kBoardSilent);
    return answered(client_->answer());
}

Status ModuleSession::go(Step step) {
    enter(step);
    return kAgain;
}

Status ModuleSession::answered(Bytes data) {
    switch (step_) {
        case Step::kVersion:
            version_.assign(field_text(value_of(data)));
            return done();
        case Step::kRunning:
            return take_running(data);
        case Step::kHardware:
            if (!field_text(value_of(data)).starts_with(config_.hardware)) {
                return end(Code::kRefused, Detail::kBoardOther);
            }
            return go(Step::kSession);
        case Step::kSession:
            return go(Step::kSeed);
        case Step::kSeed:
            return take_seed(data.subspan(std::min<size_t>(2, data.size())));
        case Step::kSerial:
            question_.serial.assign(field_text(value_of(data)));
            return go(Step::kProof);
        case Step::kKey:
            return go(step_when_open());
        case Step::kRecord:
            return take_record(data);
        case Step::kName:
            return go(Step::kErase);
        case Step::kErase:
            // Is it still the same? Its record says from where on.
            is_erased_ = true;
            return go(Step::kRecord);
        case Step::kDownload:
            return take_length(data);
        case Step::kBlock:
            return next_block();
        case Step::kExit:
            return go(Step::kCheck);
        case Step::kCheck:
            return take_check(data);
        case Step::kReset:
            return await_restart();
        case Step::kConfirm:
            return go(Step::kRunning);
        case Step::kIdle:
        case Step::kProof:
            return kAgain;
    }
    return kAgain;
}

// F1A3: state, size, digest.
Status ModuleSession::take_running(Bytes data) {
    if (data.size() < kRunningSize) return end(Code::kRefused, Detail::kBoardOther);
    is_on_trial_ = data[3] == kOnTrial;
    is_held_ = load_be32(&data[4]) == order_.size &&
               std::equal(order_.digest.begin(), order_.digest.end(), &data[8]);
    return decide();
}

Status ModuleSession::take_seed(Bytes seed) {
    const bool is_open = std::all_of(seed.begin(), seed.end(), [](uint8_t b) { return b == 0; });
    if (is_open) return go(step_when_open());
    if (seed.size() != BoardKey::kSeed) return end(Code::kRefused, Detail::kBoardLocked);
    std::copy(seed.begin(), seed.end(), question_.seed.begin());
    return go(Step::kSerial);
}

Status ModuleSession::take_record(Bytes data) {
    const bool named = is_named(data);
    next_ = named ? load_be32(&data[3 + 32 + 4]) : 0;
    if (next_ > order_.size) return end(Code::kRefused, Detail::kBoardOther);
    if (only_prepares_ && named) return done();
    // It was told which image comes, and does not know.
    if (!named && is_erased_) return end(Code::kRefused, Detail::kBoardFailed);
    if (!named) return go(Step::kName);
    return go(next_ == order_.size ? Step::kCheck : Step::kDownload);
}

// maxNumberOfBlockLength in so many bytes as the high nibble of the first says; it counts service
// and counter.
Status ModuleSession::take_length(Bytes data) {
    const size_t length = data.size() < 2 ? 0 : data[1] >> 4;
    if (length == 0 || length > 4 || data.size() < 2 + length) {
        return end(Code::kRefused, Detail::kBoardOther);
    }
    uint32_t longest = 0;
    for (size_t i = 0; i < length; ++i) longest = longest << 8 | data[2 + i];
    if (longest <= uds::kBlockHead) return end(Code::kRefused, Detail::kBoardOther);
    constexpr uint32_t kHead = uds::kBlockHead;
    longest_ = std::min<uint32_t>(longest - kHead, ImageBlock::kSize);
    block_size_ = block_size_ == 0 ? longest_ : std::min(block_size_, longest_);
    counter_ = 1;
    touched_ = true;
    return go(Step::kBlock);
}

Status ModuleSession::next_block() {
    next_ += block_length_;
    ++counter_;
    if (next_ >= recovered_at_ + kProgress) recoveries_ = 0;
    block_size_ = std::min(block_size_ + block_size_ / 4, longest_);
    slot_ ^= 1U;
    return go(next_ == order_.size ? Step::kExit : Step::kBlock);
}

// 71 01 02 02 and the result. A sector that power was lost in may be among what it held: once more
// from the start.
Status ModuleSession::take_check(Bytes data) {
    if (data.size() >= 5 && data[4] == 0) return go(Step::kReset);
    if (is_rewritten_) return end(Code::kRefused, Detail::kBoardFailed);
    is_rewritten_ = true;
    is_erased_ = false;
    return go(Step::kName);
}

Status ModuleSession::await_restart() {
    was_reset_ = !drops_trial_;
    drops_trial_ = false;
    silences_ = 0;
    await_until_ = clock_.now() + kLongestBoot;
    reset_by_ = clock_.now() + kLongestReset;
    ask_at_ = clock_.now() + kResetDelay;
    return go(Step::kRunning);
}

// Where it goes on when the board listens.
ModuleSession::Step ModuleSession::step_when_open() const {
    if (drops_trial_) return Step::kReset;
    return is_held_ ? Step::kConfirm : Step::kRecord;
}

// It has said what it runs.
Status ModuleSession::decide() {
    has_looked_ = true;
    const bool installs = order_.kind == BoardOrder::Kind::kInstall;
    if (!installs || holds() || (only_prepares_ && (is_held_ || is_on_trial_))) return done();
    if (is_held_) {
        if (confirmations_ == kConfirmations) return end(Code::kRefused, Detail::kBoardFailed);
        ++confirmations_;
        enter(Step::kSession);
        return kAgain;
    }
    // It was told to run the image, and came back with another; or it has not restarted yet.
    if (was_reset_) {
        if (clock_.now() >= reset_by_) return end(Code::kRefused, Detail::kBoardFailed);
        ask_at_ = clock_.now() + kBootPoll;
        return kAgain;
    }
    // What it tries is another image that nobody kept: only without it a slot is free.
    if (is_on_trial_) {
        if (has_dropped_) return end(Code::kRefused, Detail::kBoardRefused);
        drops_trial_ = has_dropped_ = true;
    }
    enter(config_.hardware.empty() ? Step::kSession : Step::kHardware);
    return kAgain;
}

// F1A1: digest, size, next offset, durable offset. Does it speak of this image?
bool ModuleSession::is_named(Bytes data) const {
    return data.size() >= kRecordSize &&
           std::equal(order_.digest.begin(), order_.digest.end(), &data[3]) &&
           load_be32(&data[3 + 32]) == order_.size;
}

}  // namespace ota
