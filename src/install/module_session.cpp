#include "install/module_session.hpp"

namespace ota {
namespace {

using uds::Nrc;
using uds::Service;

constexpr Status kAgain{Code::kTryAgain, Origin::kModules};

// How long "response pending" is listened to.
constexpr Millis kPatience = 10000;
constexpr Millis kErasePatience = 120000;
constexpr Millis kCheckPatience = 120000;
// fieldbus profile: three repeats of a request, three new starts of a transfer.
constexpr uint8_t kRepeats = 3;
constexpr uint8_t kRecoveries = 3;
constexpr uint32_t kShortestBlock = 62;  // ten frames
constexpr uint8_t kBusyAnswers = 60;
constexpr Millis kBusyWait = 500;
// After power was lost everywhere a board may start later than its controller.
constexpr Millis kStartPatience = 5000;
// A bus that is off comes back by itself, or somebody mends it.
constexpr Millis kBusPoll = 1000;
constexpr Millis kLongestBusDown = 600000;

constexpr uint8_t kAccessLevel = 0x11;
constexpr uint8_t kProgrammingSession = static_cast<uint8_t>(uds::Session::kProgramming);
constexpr uint8_t kHardReset = 0x01;
constexpr uint8_t kStartRoutine = 0x01;

// Service and what comes first in a request.
class Request {
  public:
    explicit Request(Service service) { u8(static_cast<uint8_t>(service)); }
    Request& u8(uint8_t value) {
        (void)bytes_.push_back(value);
        return *this;
    }
    Request& u16(uint16_t value) {
        return u8(static_cast<uint8_t>(value >> 8)).u8(static_cast<uint8_t>(value));
    }
    Request& u32(uint32_t value) {
        return u16(static_cast<uint16_t>(value >> 16)).u16(static_cast<uint16_t>(value));
    }
    Request& add(Bytes bytes) {
        for (const uint8_t byte : bytes) u8(byte);
        return *this;
    }
    Bytes bytes() const { return Bytes(bytes_.begin(), bytes_.size()); }

  private:
    FixedVector<uint8_t, 64> bytes_;
};

Request read_data(uint16_t did) {
    return Request(Service::kReadData).u16(did);
}

Request routine(uint16_t id) {
    return Request(Service::kRoutine).u8(kStartRoutine).u16(id);
}

}  // namespace

// ---------------------------------------------------------------- orders

void ModuleSession::start(const BoardOrder& order, uint8_t address) {
    // What was begun ahead goes on from where it is.
    const bool goes_on = only_prepares_ && !is_idle() && order_.number == order.number &&
                         order.kind == BoardOrder::Kind::kInstall &&
                         order_.digest == order.digest && order_.size == order.size;
    if (!goes_on) open(order, order.number, address);
    only_prepares_ = false;
}

void ModuleSession::prepare(const BoardOrder& order, uint8_t number, uint8_t address) {
    open(order, number, address);
    only_prepares_ = true;
}

void ModuleSession::open(const BoardOrder& order, uint8_t number, uint8_t address) {
    const IsoTpAddress pair =
        IsoTpAddress::normal_fixed(config_.own_address, address, config_.priority);
    CanConfig frames;
    const std::array<uint32_t, 1> wanted{pair.receive_id};
    frames.identifiers = wanted;
    frames.is_29_bit = pair.is_29_bit;
    (void)bus_.open(frames);
    client_.emplace(bus_, clock_, UdsClient::Config{pair, received_, config_.frame_size});
    order_ = order;
    order_.number = number;
    version_.clear();
    is_held_ = is_on_trial_ = touched_ = was_reset_ = is_rewritten_ = is_erased_ = false;
    drops_trial_ = has_dropped_ = has_looked_ = false;
    recovered_at_ = 0;
    opened_at_ = clock_.now();
    repeats_ = recoveries_ = confirmations_ = busy_ = silences_ = 0;
    bus_down_since_ = ask_at_ = block_size_ = 0;
    await_until_ = clock_.now() + kStartPatience;
    enter(order.kind == BoardOrder::Kind::kVersion ? Step::kVersion : Step::kRunning);
}

void ModuleSession::stop() {
    if (client_) client_->give_up();
    bus_.close();
    step_ = Step::kIdle;
}

Status ModuleSession::poll() {
    if (is_idle()) return kAgain;
    // It is alive, and at work on something: an erasure that was begun before a restart of ours.
    if (client_->was_heard() && clock_.now() < opened_at_ + kErasePatience) {
        await_until_ = std::max(await_until_, clock_.now() + kStartPatience);
    }
    if (is_asked_) {
        const Status status = client_->poll();
        if (status.is(Code::kTryAgain)) return status;
        is_asked_ = false;
        return after(status);
    }
    (void)client_->poll();  // frames of others are passed by
    if (clock_.now() < ask_at_) return kAgain;
    is_asked_ = ask_step();
    if (is_asked_) return kAgain;
    // The engine's turn.
    ask_at_ = clock_.now() + 1;
    const bool wants_key = step_ == Step::kProof || step_ == Step::kKey;
    const bool has_none = step_ == Step::kKey && key_.is_ready() && key_.take().empty();
    if (has_none || (wants_key && clock_.now() - step_since_ > kPatience)) {
        return end(Code::kRefused, Detail::kBoardLocked);
    }
    return kAgain;
}

Micros ModuleSession::due() const {
    if (is_idle()) return UINT64_MAX;
    return is_asked_ ? client_->due() : ask_at_ * 1000;
}

void ModuleSession::enter(Step step) {
    step_ = step;
    step_since_ = clock_.now();
    is_asked_ = false;
    repeats_ = 0;
}

// ---------------------------------------------------------------- requests

void ModuleSession::ask(Bytes request, Millis patience) {
    request_.clear();
    for (const uint8_t byte : request) (void)request_.push_back(byte);
    client_->start(Bytes(request_.begin(), request_.size()), patience);
}

// False: what it takes is not there yet.
bool ModuleSession::ask_step() {
    switch (step_) {
        case Step::kIdle:
            return false;
        case Step::kVersion:
            ask(read_data(uds::kDidVersion).bytes(), kPatience);
            return true;
        case Step::kRunning:
            ask(read_data(uds::kDidRunning).bytes(), kPatience);
            return true;
        case Step::kHardware:
            ask(read_data(uds::kDidHardware).bytes(), kPatience);
            return true;
        case Step::kSession:
            ask(Request(Service::kSession).u8(kProgrammingSession).bytes(), kPatience);
            return true;
        case Step::kSerial:
            ask(read_data(uds::kDidSerial).bytes(), kPatience);
            return true;
        case Step::kSeed:
            ask(Request(Service::kSecurityAccess).u8(kAccessLevel).bytes(), kPatience);
            return true;
        case Step::kProof:
            if (key_.ask(question_)) enter(Step::kKey);
            return false;
        case Step::kKey:
            if (!key_.is_ready() || key_.take().empty()) return false;
            ask(Request(Service::kSecurityAccess).u8(kAccessLevel + 1).add(key_.take()).bytes(),
                kPatience);
            return true;
        default:
            return ask_to_program();
    }
}

// From the moment it listens.
bool ModuleSession::ask_to_program() {
    switch (step_) {
        case Step::kRecord:
            ask(read_data(uds::kDidPackage).bytes(), kPatience);
            return true;
        case Step::kName:
            touched_ = true;
            ask(Request(Service::kWriteData)
                    .u16(uds::kDidPackage)
                    .add(order_.digest)
                    .u32(order_.size)
                    .bytes(),
                kPatience);
            return true;
        case Step::kErase:
            ask(routine(uds::kRoutineErase).bytes(), kErasePatience);
            return true;
        case Step::kDownload:
            ask(Request(Service::kDownload)
                    .u8(0)
                    .u8(0x44)
                    .u32(next_)
                    .u32(order_.size - next_)
                    .bytes(),
                kPatience);
            return true;
        case Step::kBlock:
            return ask_block();
        case Step::kExit:
            ask(Request(Service::kTransferExit).bytes(), kPatience);
            return true;
        case Step::kCheck:
            ask(routine(uds::kRoutineVerify).bytes(), kCheckPatience);
            return true;
        case Step::kReset:
            touched_ = true;
            ask(Request(Service::kReset).u8(kHardReset).bytes(), kPatience);
            return true;
        case Step::kConfirm:
            ask(routine(uds::kRoutineConfirm).bytes(), kPatience);
            return true;
        default:
            return false;
    }
}

// While it is on the bus, the one behind it is fetched.
bool ModuleSession::ask_block() {
    const auto piece = [&](uint32_t at) { return std::min(block_size_, order_.size - at); };
    block_length_ = piece(next_);
    const MutableBytes request = exchange_.blocks[slot_].get(next_, block_length_);
    const uint32_t ahead = next_ + block_length_;
    if (ahead < order_.size) (void)exchange_.blocks[slot_ ^ 1U].get(ahead, piece(ahead));
    if (request.empty()) return false;
    request[0] = static_cast<uint8_t>(Service::kTransfer);
    request[1] = counter_;
    client_->start(request, kPatience);
    return true;
}

// ---------------------------------------------------------------- what goes wrong

Status ModuleSession::refused(Nrc code) {
    // It has to wait after wrong keys, or cannot keep its image yet.
    const bool later = code == Nrc::kBusy || code == Nrc::kTimeDelay ||
                       (code == Nrc::kConditions && step_ == Step::kConfirm);
    if (later && busy_ < kBusyAnswers) {
        ++busy_;
        ask_at_ = clock_.now() + kBusyWait;
        return kAgain;
    }
    switch (code) {
        case Nrc::kServiceInSession:
        case Nrc::kSubFunctionInSession:
        case Nrc::kBlockCounter:
        case Nrc::kSequence:
            // Its session is over, or it has restarted, or an answer was lost twice.
            return recover(Detail::kBoardRefused);
        case Nrc::kLocked:
        case Nrc::kNotAuthenticated:
            if (step_ != Step::kBlock) return end(Code::kRefused, Detail::kBoardLocked);
            return recover(Detail::kBoardLocked);
        case Nrc::kInvalidKey:
        case Nrc::kTooManyTries:
        case Nrc::kTimeDelay:
            return end(Code::kRefused, Detail::kBoardLocked);
        default:
            break;
    }
    const bool programs =
        step_ == Step::kExit || step_ == Step::kCheck || code == Nrc::kProgramming;
    return end(Code::kRefused, programs ? Detail::kBoardFailed : Detail::kBoardRefused);
}

Status ModuleSession::no_answer() {
    const bool is_first = step_ == Step::kRunning || step_ == Step::kVersion;
    // It has restarted, then: what it says next is what it came back with.
    if (was_reset_ && ++silences_ >= kRepeats) reset_by_ = 0;
    if (is_first && clock_.now() < await_until_) {
        ask_at_ = clock_.now() + kBootPoll;
        return kAgain;
    }
    // The same request again: a board knows a block that it has taken by its counter.
    if (repeats_ < kRepeats) {
        ++repeats_;
        return kAgain;
    }
    if (step_ == Step::kBlock && block_size_ > kShortestBlock) return shorten();
    return touched_ && !is_first ? recover(Detail::kBoardSilent) : lost();
}

// ISO-TP repairs nothing: on a bus that loses frames a long message hardly gets through. The board
// says how far it has come; a shorter request goes on from there.
Status ModuleSession::shorten() {
    block_size_ = std::max(block_size_ / 2, kShortestBlock);
    enter(Step::kRecord);
    return kAgain;
}

// A bus that is off is no board's fault: parked until it is back.
Status ModuleSession::bus_is_down() {
    const Millis now = clock_.now();
    if (bus_down_since_ == 0) bus_down_since_ = now + 1;
    if (now >= bus_down_since_ + kLongestBusDown) return lost();
    ask_at_ = now + kBusPoll;
    return kAgain;
}

// Begins anew with a board that may have restarted; what it holds it says itself. in_the_end: why
// it is given up when that does not help, of a board that keeps what it has.
Status ModuleSession::recover(Detail in_the_end) {
    if (recoveries_ == kRecoveries) {
        if (touched_ || in_the_end == Detail::kBoardSilent) return lost();
        return end(Code::kRefused, in_the_end);
    }
    ++recoveries_;
    recovered_at_ = next_;
    await_until_ = clock_.now() + kLongestBoot;
    ask_at_ = clock_.now() + kBootPoll;
    enter(Step::kRunning);
    return kAgain;
}

Status ModuleSession::lost() {
    return end(Code::kTimeout, touched_ ? Detail::kBoardLost : Detail::kBoardSilent);
}

// Whatever a board says that runs the new image already: it is not as it was.
Status ModuleSession::end(Code code, Detail detail) {
    const bool is_new = was_reset_ || (is_held_ && is_on_trial_);
    if (code == Code::kRefused && is_new) detail = Detail::kBoardFailed;
    stop();
    return {code, Origin::kModules, detail};
}

Status ModuleSession::done() {
    stop();
    return {};
}

}  // namespace ota
