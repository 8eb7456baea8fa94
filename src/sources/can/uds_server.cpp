// Requests and their time; sessions and what needs no package. What is about packages is in
// uds_transfer.cpp, what is about access in uds_access.cpp.
#include "sources/can/uds_server.hpp"

#include "base/error_kind.hpp"

namespace ota {

using uds::Nrc;
using uds::Service;
using uds::Session;

namespace {

constexpr Millis kFirstTell = 40;    // "response pending" comes before P2 is over …
constexpr Millis kTellAgain = 2000;  // … and again well before P2 extended is

constexpr Millis kLongestPause = 30000;     // of the battery (design rule 8)
constexpr Millis kLongestPending = 120000;  // what verifying takes, and more

// What nobody hears who asked everybody (ISO 14229-1 8.7.3).
bool is_kept_quiet(Nrc code) {
    return code == Nrc::kService || code == Nrc::kServiceInSession || code == Nrc::kSubFunction ||
           code == Nrc::kSubFunctionInSession || code == Nrc::kRange;
}

}  // namespace

// ---------------------------------------------------------------- a request

void UdsServer::take(Bytes request, bool is_functional) {
    active_at_ = clock_.now();
    if (is_busy() || request.empty()) return;
    request_ = request;
    is_functional_ = is_functional;
    told_pending_ = has_answer_ = false;
    answer_.start(static_cast<uint8_t>(request[0] + uds::kPositive));
    desk_.look();
    door_.settle(clock_.now());
    conclude(serve(request));
}

Nrc UdsServer::serve(Bytes request) {
    const auto service = static_cast<Service>(request[0]);
    if (shortest(service) == 0) return Nrc::kService;
    if (const Nrc code = check_session(service); code != Nrc::kNone) return code;
    if (request.size() < shortest(service)) return Nrc::kLength;
    if (needs_open_door(service) && !door_.is_open()) return Nrc::kLocked;
    switch (service) {
        case Service::kSession:
            return change_session(request);
        case Service::kReset:
            return reset(request);
        case Service::kReadData:
            return read_data(request);
        case Service::kSecurityAccess:
            return security_access(request);
        case Service::kCommunication:
            return communication(request);
        case Service::kAuthentication:
            return authentication(request);
        case Service::kWriteData:
            return write_data(request);
        case Service::kRoutine:
            return routine(request);
        case Service::kDownload:
            return download(request);
        case Service::kTransfer:
            return transfer(request);
        case Service::kTransferExit:
            return transfer_exit(request);
        case Service::kFile:
            return request_file(request);
        case Service::kTesterPresent:
            if ((request[1] & ~uds::kSuppress) != 0) return Nrc::kSubFunction;
            if (request.size() != 2) return Nrc::kLength;
            answer_.u8(0);
            return Nrc::kNone;
        case Service::kDtcSetting:
            if ((request[1] & 0x7F) < 1 || (request[1] & 0x7F) > 2) return Nrc::kSubFunction;
            if (request.size() != 2) return Nrc::kLength;
            answer_.u8(request[1] & 0x7F);  // this device has none
            return Nrc::kNone;
    }
    return Nrc::kService;
}

// With the service; 0: not known.
size_t UdsServer::shortest(Service service) {
    switch (service) {
        case Service::kSession:
        case Service::kReset:
        case Service::kSecurityAccess:
        case Service::kAuthentication:
        case Service::kTesterPresent:
        case Service::kDtcSetting:
        case Service::kCommunication:
            return 2;
        case Service::kReadData:
        case Service::kDownload:
            return 3;
        case Service::kWriteData:
        case Service::kRoutine:
        case Service::kFile:
            return 4;
        case Service::kTransfer:
            return 2;
        case Service::kTransferExit:
            return 1;
    }
    return 0;
}

Nrc UdsServer::check_session(Service service) const {
    switch (service) {
        case Service::kSession:
        case Service::kReset:
        case Service::kReadData:
        case Service::kTesterPresent:
            return Nrc::kNone;
        case Service::kDtcSetting:
        case Service::kCommunication:
        case Service::kRoutine:
        case Service::kWriteData:
            return session_ == Session::kDefault ? Nrc::kServiceInSession : Nrc::kNone;
        default:
            return session_ == Session::kProgramming ? Nrc::kNone : Nrc::kServiceInSession;
    }
}

bool UdsServer::needs_open_door(Service service) {
    return service == Service::kReset || service == Service::kWriteData ||
           service == Service::kDownload || service == Service::kTransfer ||
           service == Service::kTransferExit || service == Service::kFile;
}

void UdsServer::conclude(Nrc code) {
    if (code == Nrc::kPending) return;
    pending_ = Pending::kNone;
    active_at_ = clock_.now();
    if (code == Nrc::kNone && !answer_.fits()) code = Nrc::kAnswerTooLong;
    if (code != Nrc::kNone) {
        has_answer_ = !is_functional_ || told_pending_ || !is_kept_quiet(code);
        answer_.start(uds::kNegative);
        answer_.u8(request_[0]);
        answer_.u8(static_cast<uint8_t>(code));
        return;
    }
    door_.touch(clock_.now());
    const auto service = static_cast<Service>(request_[0]);
    const bool has_sub_function =
        service == Service::kSession || service == Service::kReset ||
        service == Service::kSecurityAccess || service == Service::kCommunication ||
        service == Service::kAuthentication || service == Service::kRoutine ||
        service == Service::kTesterPresent || service == Service::kDtcSetting;
    const bool suppressed = has_sub_function && (request_[1] & uds::kSuppress) != 0;
    has_answer_ = !suppressed || told_pending_;
}

Bytes UdsServer::next_answer() {
    if (tells_pending_) {
        tells_pending_ = false;
        return pending_answer_;
    }
    if (!has_answer_) return {};
    has_answer_ = false;
    return answer_.bytes();
}

// ---------------------------------------------------------------- time

Nrc UdsServer::under_way(Pending what) {
    pending_ = what;
    pending_since_ = clock_.now();
    tell_at_ = pending_since_ + kFirstTell;
    paused_since_ = 0;
    return finish_pending();
}

void UdsServer::poll() {
    const Millis now = clock_.now();
    door_.settle(now);
    if (!is_pending()) {
        if (session_ != Session::kDefault && now - active_at_ > uds::kS3) enter(Session::kDefault);
        return;
    }
    desk_.look();
    if (door_.is_open()) door_.touch(now);
    Nrc code = finish_pending();
    if (code == Nrc::kPending) code = overdue();
    if (code != Nrc::kPending) return conclude(code);
    if (now < tell_at_) return;
    tell_at_ = now + kTellAgain;
    told_pending_ = true;
    tell_pending();
}

// Beside the answer that is being made.
void UdsServer::tell_pending() {
    pending_answer_ = {uds::kNegative, request_[0], static_cast<uint8_t>(Nrc::kPending)};
    tells_pending_ = true;
}

// Nothing is pending for ever: a red battery is waited for half a minute, all else two.
Nrc UdsServer::overdue() {
    const Millis now = clock_.now();
    const bool paused = desk_.seen().paused;
    if (!paused) paused_since_ = 0;
    if (paused && paused_since_ == 0) paused_since_ = now;
    const bool too_long =
        paused ? now - paused_since_ > kLongestPause : now - pending_since_ > kLongestPending;
    if (!too_long) return Nrc::kPending;
    is_transferring_ = false;  // parked: F1A1 says where it goes on
    return paused ? interlock_code() : Nrc::kConditions;
}

Nrc UdsServer::finish_pending() {
    switch (pending_) {
        case Pending::kNone:
            return Nrc::kNone;
        case Pending::kTransfer:
            return write_block();
        case Pending::kVerify:
            return finish_verify();
        case Pending::kOrder:
            return finish_order();
        case Pending::kOpen:
            return finish_open();
        case Pending::kProof:
            return finish_proof();
        case Pending::kChallenge:
            return give_challenge();
    }
    return Nrc::kGeneral;
}

// ---------------------------------------------------------------- sessions

void UdsServer::enter(Session session) {
    session_ = session;
    is_transferring_ = has_seed_ = false;  // what was transferred stays, and is gone on with
    door_.shut();
}

Nrc UdsServer::change_session(Bytes request) {
    const uint8_t session = request[1] & 0x7F;
    if (session < 1 || session > 3) return Nrc::kSubFunction;
    if (request.size() != 2) return Nrc::kLength;
    const bool cancels = is_own_transfer() && static_cast<Session>(session) == Session::kDefault;
    if (cancels) (void)desk_.order(PushDesk::Order::kAbort);
    enter(static_cast<Session>(session));
    answer_.u8(session);
    answer_.u16(uds::kP2);
    answer_.u16(uds::kP2Extended / 10);
    return Nrc::kNone;
}

Nrc UdsServer::communication(Bytes request) {
    if (request.size() != 3) return Nrc::kLength;
    const uint8_t control = request[1] & 0x7F;
    if (control > 3) return Nrc::kSubFunction;
    if (control != 0) return Nrc::kConditions;  // what protects the battery is not silenced
    answer_.u8(control);
    return Nrc::kNone;
}

// ---------------------------------------------------------------- data

Nrc UdsServer::read_data(Bytes request) {
    if (request.size() % 2 != 1) return Nrc::kLength;
    bool any = false;
    for (size_t at = 1; at < request.size(); at += 2) {
        any = put_data(load_be16(&request[at])) || any;
    }
    return any ? Nrc::kNone : Nrc::kRange;
}

bool UdsServer::put_data(uint16_t did) {
    const EngineSnapshot& engine = desk_.seen();
    const std::string_view version = engine.running_version;
    const auto put = [&](Bytes bytes) {
        answer_.u16(did);
        answer_.copy(bytes);
        return true;
    };
    switch (did) {
        case uds::kDidSoftware: {
            std::array<uint8_t, 17> software{1};
            std::copy_n(version.begin(), std::min<size_t>(version.size(), 16),
                        software.begin() + 1);
            return put(software);
        }
        case uds::kDidFingerprint:
        case uds::kDidOemFingerprint:
            return put(fingerprint_);
        case uds::kDidSession: {
            const auto session = static_cast<uint8_t>(session_);
            return put({&session, 1});
        }
        case uds::kDidSerial:
            return put(as_bytes(identity_.serial));
        case uds::kDidHardware:
            return put(as_bytes(identity_.hardware));
        case uds::kDidVersion:
            return put(as_bytes(version));
        case uds::kDidTesterSerial:
            return put(tester_serial_);
        case uds::kDidProgrammingDate:
            return put(programming_date_);
        case uds::kDidComponents:
            answer_.u16(did);
            put_components();
            return true;
        case uds::kDidPackage:
            answer_.u16(did);
            put_package();
            return true;
        case uds::kDidState:
            answer_.u16(did);
            put_state();
            return true;
        default:
            return false;
    }
}

// The application is the one component that every device has.
void UdsServer::put_components() {
    const EngineSnapshot& engine = desk_.seen();
    constexpr size_t kVersionSize = 16;
    const std::string_view version = engine.running_version;
    answer_.u8(1);
    answer_.u8(0);
    answer_.u8(engine.trial ? 1 : 0);
    answer_.u32(engine.running_secure_version);
    answer_.u8(engine.running);
    for (size_t i = 0; i < kVersionSize; ++i) {
        answer_.u8(i < version.size() ? static_cast<uint8_t>(version[i]) : uint8_t{0});
    }
}

void UdsServer::put_package() {
    const bool ours = desk_.has_package() && desk_.link() == SourceKind::kCanbus;
    const PushOffer package = ours ? desk_.package() : announced_;
    answer_.copy(package.digest);
    answer_.u32(package.size);
    answer_.u32(ours ? desk_.next_offset() : 0);
    answer_.u32(ours ? std::min(desk_.seen().durable, package.size) : 0);
}

void UdsServer::put_state() {
    const EngineSnapshot& engine = desk_.seen();
    const Status failure = Status::from_word(engine.error);
    answer_.u8(static_cast<uint8_t>(engine.state));
    answer_.u8(static_cast<uint8_t>(error_kind(failure)));
    answer_.u16(static_cast<uint16_t>(failure.detail()));
    answer_.u16(progress_permille(engine));
    answer_.u16(engine.interlock);
}

Nrc UdsServer::write_data(Bytes request) {
    const uint16_t did = load_be16(&request[1]);
    const Bytes data = request.subspan(3);
    const auto take = [&](MutableBytes to, bool may_be_short) {
        const bool fits = data.size() == to.size() || (may_be_short && data.size() < to.size());
        if (!fits) return Nrc::kLength;
        std::fill(to.begin(), to.end(), uint8_t{0});
        std::copy(data.begin(), data.end(), to.begin());
        answer_.u16(did);
        return Nrc::kNone;
    };
    switch (did) {
        case uds::kDidFingerprint:
        case uds::kDidOemFingerprint:
            return take(fingerprint_, false);
        case uds::kDidTesterSerial:
            return take(tester_serial_, true);
        case uds::kDidProgrammingDate:
            return take(programming_date_, false);
        case uds::kDidPackage:
            if (session_ != Session::kProgramming) return Nrc::kConditions;
            return announce(data);
        default:
            return Nrc::kRange;
    }
}

}  // namespace ota
