#include "sources/modbus/modbus_server.hpp"

#include "base/error_kind.hpp"

namespace ota {

namespace {

using namespace modbus;

constexpr uint16_t kBusyRetry = 20;      // ms; the engine reads a window in less
constexpr uint16_t kPausedRetry = 1000;  // the battery takes its time
constexpr size_t kBytes = 2;             // of a register
constexpr size_t kWindowHead = 6;        // bytes of WIN_TAG and WIN_OFFSET
constexpr size_t kHmacRegisters = 16;
constexpr size_t kSignatureRegisters = 32;
constexpr uint8_t kConformity = 0x82;  // regular objects, in a stream or single (6.21)

uint16_t saturated(uint64_t value) {
    return static_cast<uint16_t>(std::min<uint64_t>(value, UINT16_MAX));
}

template <size_t N>
void put32(std::array<uint16_t, N>& page, uint16_t at, uint32_t value) {
    page[at] = static_cast<uint16_t>(value >> 16);
    page[at + 1] = static_cast<uint16_t>(value);
}

uint16_t text_register(std::string_view text, size_t index) {
    const auto at = [&](size_t i) {
        return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0};
    };
    return static_cast<uint16_t>(at(2 * index) << 8 | at(2 * index + 1));
}

template <size_t N>
void put_text(std::array<uint16_t, N>& page, uint16_t at, std::string_view text) {
    for (uint16_t i = 0; i < kTextRegisters; ++i) page[at + i] = text_register(text, i);
}

// Of values that begin at register first: those from register at on, or zeros.
uint32_t parameter(Bytes values, uint16_t at, size_t registers) {
    const size_t begin = kBytes * (at - kRegSequence);
    uint32_t out = 0;
    for (size_t i = begin; i < begin + 2 * registers && begin + 2 * registers <= values.size();
         ++i) {
        out = out << 8 | values[i];
    }
    return out;
}

}  // namespace

ModbusServer::ModbusServer(const ModbusIdentity& identity, PushDesk& desk, AccessDoor& door,
                           Mailbox& mailbox, Clock& clock)
    : identity_(identity), desk_(desk), door_(door), mailbox_(mailbox), clock_(clock) {}

size_t ModbusServer::poll(ModbusLink& link, size_t most) {
    std::array<uint8_t, kModbusRequest> request;
    std::array<uint8_t, kModbusPdu> reply;
    for (size_t served = 0; served < most; ++served) {
        ModbusTarget target;
        const Result<size_t> size = link.receive(request, target);
        if (!size.ok() || *size == 0) return served;
        const size_t written = answer(Bytes(request).first(*size), target, reply);
        if (written != 0) (void)link.answer(Bytes(reply).first(written));
    }
    return most;
}

bool ModbusServer::is_for_us(const ModbusTarget& target) const {
    if (target.unit == identity_.unit) return true;
    // On TCP, 0 and 255 mean the device that was called (Messaging on TCP/IP V1.0b, 4.4.2).
    return target.is_direct && (target.unit == 0 || target.unit == 255);
}

size_t ModbusServer::answer(Bytes request, const ModbusTarget& target, MutableBytes out) {
    if (target.is_broadcast || request.empty()) return 0;
    if (!is_for_us(target) && !target.is_direct) return 0;
    ModbusAnswer reply(out);
    reply.u8(request[0]);
    ModbusRequest parsed;
    Exception error = Exception::kNoTarget;
    if (is_for_us(target)) {
        error = parse_modbus_request(request, parsed);
        if (error == Exception::kNone) error = serve(parsed, reply);
    }
    if (error == Exception::kNone) return reply.size();
    out[0] = static_cast<uint8_t>(request[0] | kModbusError);
    out[1] = static_cast<uint8_t>(error);
    return 2;
}

ModbusException ModbusServer::serve(const ModbusRequest& request, ModbusAnswer& out) {
    door_.settle(clock_.now());
    follow_session();
    const auto own = [&](uint16_t address) {
        return static_cast<uint16_t>(address - identity_.base);  // wraps: below the base is beyond
    };
    switch (request.function) {
        case ModbusFunction::kReadHolding:
        case ModbusFunction::kReadInput:
            out.u8(static_cast<uint8_t>(request.count * 2));
            return read(own(request.address), request.count, out);
        case ModbusFunction::kWriteOne:
            out.u16(request.write_address);
            out.copy(request.values);
            return write(own(request.write_address), request.values);
        case ModbusFunction::kWriteMany:
            out.u16(request.write_address);
            out.u16(static_cast<uint16_t>(request.values.size() / 2));
            return write(own(request.write_address), request.values);
        case ModbusFunction::kReadWrite: {
            if (!is_readable(own(request.address), request.count)) return Exception::kAddress;
            const Exception error = write(own(request.write_address), request.values);
            if (error != Exception::kNone) return error;
            out.u8(static_cast<uint8_t>(request.count * 2));
            return read(own(request.address), request.count, out);
        }
        case ModbusFunction::kReadFile:
            if (request.file != kRegisterFile) return Exception::kAddress;
            out.u8(static_cast<uint8_t>(request.count * 2 + 2));
            out.u8(static_cast<uint8_t>(request.count * 2 + 1));
            out.u8(kFileReference);
            return read(request.address, request.count, out);
        case ModbusFunction::kWriteFile:
            return write_file(request, out);
        case ModbusFunction::kIdentify:
            return identify(request, out);
    }
    return Exception::kFunction;
}

// The answer repeats the request.
ModbusException ModbusServer::write_file(const ModbusRequest& request, ModbusAnswer& out) {
    if (request.file == kRegisterFile) return Exception::kAddress;
    const uint64_t offset =
        (request.file - uint64_t{1}) * kFileSize + uint64_t{2} * request.write_address;
    if (offset > UINT32_MAX) return refuse(WindowResult::kRange, Exception::kValue);
    const Exception error = take_bytes(static_cast<uint32_t>(offset), request.values);
    if (error != Exception::kNone) return error;
    out.u8(static_cast<uint8_t>(request.values.size() + 7));
    out.u8(kFileReference);
    out.u16(request.file);
    out.u16(request.write_address);
    out.u16(static_cast<uint16_t>(request.values.size() / 2));
    out.copy(request.values);
    return Exception::kNone;
}

// 6.21: basic objects 0 to 2, regular ones to 6.
ModbusException ModbusServer::identify(const ModbusRequest& request, ModbusAnswer& out) {
    const char* const version = desk_.look().running_version;
    const std::array<std::string_view, 7> objects = {
        "bess-ota",        identity_.hardware, version,      "",
        "BESS controller", identity_.hardware, "OTA manager"};
    constexpr uint8_t kSingle = 4;
    const bool single = request.identify_code == kSingle;
    const uint8_t end = request.identify_code == 1 ? 3 : 7;
    if (single && request.object >= objects.size()) return Exception::kAddress;
    const uint8_t first = single || request.object < end ? request.object : uint8_t{0};
    const uint8_t last = single ? static_cast<uint8_t>(first + 1) : end;
    for (const uint8_t byte : {uint8_t{14}, request.identify_code, kConformity, uint8_t{0},
                               uint8_t{0}, static_cast<uint8_t>(last - first)}) {
        out.u8(byte);
    }
    for (uint8_t i = first; i < last; ++i) {
        out.u8(i);
        out.u8(static_cast<uint8_t>(objects[i].size()));
        out.copy(as_bytes(objects[i]));
    }
    return Exception::kNone;
}

// ---------------------------------------------------------------- reading

bool ModbusServer::is_readable(uint16_t at, uint16_t count) {
    const uint32_t end = uint32_t{at} + count;
    const bool in_table =
        at >= kRegComponentTable && end <= uint32_t{kRegComponentTable} + kComponentRegisters;
    return end <= kRegEnd || in_table;
}

ModbusException ModbusServer::read(uint16_t at, uint16_t count, ModbusAnswer& out) {
    if (!is_readable(at, count)) return Exception::kAddress;
    const uint32_t end = uint32_t{at} + count;
    const bool in_table = at >= kRegComponentTable;
    if (at <= kRegChallenge && end > kRegChallenge) {
        has_challenge_ = door_.take_challenge(challenge_);
        if (!has_challenge_ && door_.is_needed()) {
            return refuse(WindowResult::kBusy, Exception::kBusy);
        }
    }
    const Page page = status_page();
    for (uint32_t i = at; i < end; ++i) {
        if (i < page.size()) {
            out.u16(page[i]);
        } else if (i >= kRegChallenge && i < kRegChallenge + uint32_t{kDigestRegisters}) {
            out.u16(load_be16(&challenge_[kBytes * (i - kRegChallenge)]));
        } else if (i == kRegAccess) {
            out.u16(access_state());
        } else {
            out.u16(in_table ? component_value(static_cast<uint16_t>(i - kRegComponentTable)) : 0);
        }
    }
    return Exception::kNone;
}

ModbusServer::Page ModbusServer::status_page() {
    const EngineSnapshot& engine = desk_.look();
    const Status failure = Status::from_word(engine.error);
    Page page{};
    put32(page, kRegMagic, kMagic);
    page[kRegMapVersion] = kMapVersion;
    page[kRegCaps] = capabilities();
    page[kRegMaxData] = kMaxDataRegisters;
    page[kRegAckUnit] = kDurableUnit;
    page[kRegComponents] = 1;
    put_text(page, kRegVersion, engine.running_version);
    put_text(page, kRegHardware, identity_.hardware);
    put_text(page, kRegSerial, identity_.serial);
    put32(page, kRegSecureVersion, engine.running_secure_version);
    page[kRegState] = static_cast<uint16_t>(engine.state);
    page[kRegError] = static_cast<uint16_t>(error_kind(failure));
    page[kRegDetail] = static_cast<uint16_t>(failure.detail());
    page[kRegProgress] = progress_permille(engine);
    page[kRegInterlock] = engine.interlock;
    page[kRegRetry] = engine.paused ? kPausedRetry : kBusyRetry;
    page[kRegLastResult] = static_cast<uint16_t>(last_result_);
    page[kRegDuplicates] = duplicates_;
    page[kRegErrors] = errors_;
    page[kRegSequenceDone] = sequence_done_;
    page[kRegResult] = command_result();
    if (!desk_.has_package() || desk_.link() != SourceKind::kModbus) return page;
    put32(page, kRegNext, desk_.next_offset());
    put32(page, kRegTotal, desk_.package().size);
    put32(page, kRegDurable, std::min(engine.durable, desk_.package().size));
    page[kRegTag] = tag_;
    page[kRegLease] = saturated((desk_.lease_left() + 999) / 1000);
    for (uint16_t i = 0; i < kDigestRegisters; ++i) {
        page[kRegDigest + i] = load_be16(&desk_.package().digest[kBytes * i]);
    }
    return page;
}

uint16_t ModbusServer::capabilities() const {
    return static_cast<uint16_t>(kCapWindow | kCapFile | kCapExchange | kCapResume | kCapRaw |
                                 (door_.is_needed() ? kCapLocked : 0) |
                                 (identity_.takes_suit ? kCapSuit : 0));
}

uint16_t ModbusServer::access_state() const {
    if (door_.is_open()) return 2;
    if (door_.is_asked()) return 1;
    return door_.pause_left(clock_.now()) != 0 ? 3 : 0;
}

// The application is the one component that every device has.
uint16_t ModbusServer::component_value(uint16_t at) {
    const EngineSnapshot& engine = desk_.seen();
    switch (at) {
        case 2:
            return engine.trial ? 1 : 0;
        case 11:
            return static_cast<uint16_t>(engine.running_secure_version >> 16);
        case 12:
            return static_cast<uint16_t>(engine.running_secure_version);
        case 13:
            return engine.running;
        default:
            return at >= 3 && at < 11 ? text_register(engine.running_version, at - 3U)
                                      : uint16_t{0};
    }
}

uint16_t ModbusServer::command_result() const {
    const Status result = follows_desk_ ? desk_.result(ticket_) : own_result_;
    if (result.ok()) return kResultOk;
    if (result.is(Code::kTryAgain)) return kResultPending;
    return static_cast<uint16_t>(kResultFailure + static_cast<uint16_t>(result.detail()));
}

// ---------------------------------------------------------------- writing

// All of a write lies in one of the areas, or nothing is done.
ModbusException ModbusServer::write(uint16_t at, Bytes values) {
    const size_t count = values.size() / 2;
    if (at == kRegWindow) return write_window(values);
    if (at == kRegSequence && count >= 2 && at + count <= kCommandEnd) {
        return write_command(load_be16(values.data()), values);
    }
    if (at == kRegCommand && count == 1) {
        const std::array<uint8_t, 4> whole = {0, 0, values[0], values[1]};
        return write_command(static_cast<uint16_t>(sequence_done_ + 1), whole);
    }
    if (at == kRegProof && (count == kHmacRegisters || count == kSignatureRegisters)) {
        return prove(values);
    }
    ++errors_;
    return Exception::kAddress;
}

ModbusException ModbusServer::write_window(Bytes values) {
    if (values.size() <= kWindowHead) return refuse(WindowResult::kRange, Exception::kValue);
    if (values.size() > kWindowHead + kBytes * kMaxDataRegisters) return Exception::kAddress;
    const bool has_session = desk_.has_package() && desk_.link() == SourceKind::kModbus;
    if (has_session && load_be16(values.data()) != tag_) {
        return refuse(WindowResult::kStaleTag, Exception::kValue);
    }
    return take_bytes(load_be32(values.data() + 2), values.subspan(kWindowHead));
}

ModbusException ModbusServer::take_bytes(uint32_t offset, Bytes data) {
    if (!desk_.has_package() || desk_.link() != SourceKind::kModbus) {
        return refuse(WindowResult::kNoSession, Exception::kValue);
    }
    // A package of an odd size ends in half a register.
    const uint32_t size = desk_.package().size;
    if (size % 2 == 1 && offset <= size && data.size() == size_t{size} - offset + 1) {
        data = data.first(data.size() - 1);
    }
    switch (desk_.write(offset, data)) {
        case PushDesk::Written::kTaken:
            door_.touch(clock_.now());
            last_result_ = WindowResult::kOk;
            return Exception::kNone;
        case PushDesk::Written::kDuplicate:
            last_result_ = WindowResult::kDuplicate;
            ++duplicates_;
            return Exception::kNone;
        case PushDesk::Written::kGap:
            return refuse(WindowResult::kGap, Exception::kValue);
        case PushDesk::Written::kBeyond:
            return refuse(WindowResult::kRange, Exception::kValue);
        case PushDesk::Written::kFull:
            last_result_ = WindowResult::kBusy;
            return Exception::kBusy;
        case PushDesk::Written::kNoSession:
            return refuse(WindowResult::kNoSession, Exception::kValue);
        case PushDesk::Written::kFailed:
            return refuse(WindowResult::kFatal, Exception::kFailure);
    }
    return Exception::kFailure;
}

// A command that was executed is not executed again: its answer may have been lost.
ModbusException ModbusServer::write_command(uint16_t sequence, Bytes values) {
    const auto order = static_cast<Order>(parameter(values, kRegCommand, 1));
    if (order < Order::kOpen || order > Order::kQuery) {
        ++errors_;
        return Exception::kValue;
    }
    if (has_sequence_ && sequence == sequence_done_) return Exception::kNone;
    if (needs_open_door(order) && !door_.is_open()) {
        return refuse(WindowResult::kLocked, Exception::kValue);
    }
    if (needs_open_door(order)) door_.touch(clock_.now());
    has_sequence_ = true;
    sequence_done_ = sequence;
    const Status begun = begin(order, values);
    follows_desk_ = begun.is(Code::kTryAgain);
    ticket_ = desk_.ticket();
    own_result_ = begun;
    if (!begun.ok() && !begun.is(Code::kTryAgain)) ++errors_;
    return Exception::kNone;
}

bool ModbusServer::needs_open_door(Order order) {
    return order != Order::kFinish && order != Order::kClear && order != Order::kQuery;
}

Status ModbusServer::begin(Order order, Bytes values) {
    const Millis delay = Millis{parameter(values, kRegParameter, 2)} * 1000;
    switch (order) {
        case Order::kOpen:
            return open(values);
        case Order::kFinish:
            return desk_.order(PushDesk::Order::kFinish);
        case Order::kApply:
            return desk_.order(PushDesk::Order::kApply, delay);
        case Order::kAbort:
            return desk_.order(PushDesk::Order::kAbort);
        case Order::kConfirm:
            return desk_.order(PushDesk::Order::kConfirm);
        case Order::kRollback:
            return desk_.order(PushDesk::Order::kRollback);
        case Order::kCheck:
            return desk_.order(PushDesk::Order::kCheck);
        case Order::kClear:
            duplicates_ = errors_ = 0;
            last_result_ = WindowResult::kOk;
            return {};
        case Order::kQuery:
            return {};
    }
    return {Code::kInternal, Origin::kSource};
}

Status ModbusServer::open(Bytes values) {
    constexpr size_t kWhole = kBytes * (kCommandEnd - kRegSequence);
    PushOffer offer;
    offer.size = parameter(values, kRegSize, 2);
    const bool usable =
        values.size() == kWhole && offer.size != 0 && parameter(values, kRegComponent, 1) == 0;
    if (!usable) return {Code::kOutOfRange, Origin::kSource, Detail::kShortFile};
    const size_t at = kBytes * (kRegOpenDigest - kRegSequence);
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(at), offer.digest.size(),
                offer.digest.begin());
    if (offer.digest == Digest{}) return {Code::kOutOfRange, Origin::kSource, Detail::kShortFile};
    const uint32_t flags = parameter(values, kRegFlags, 1);
    const Status begun = desk_.open(SourceKind::kModbus, offer,
                                    {(flags & kFlagReplace) != 0, (flags & kFlagApply) != 0});
    follow_session();
    return begun;
}

// A master that comes back late finds its tag stale.
void ModbusServer::follow_session() {
    if (desk_.bound_count() == tag_of_) return;
    tag_of_ = desk_.bound_count();
    // Any number will do that the one before was not: it tells masters apart, it keeps nobody out.
    const auto salt = static_cast<uint32_t>(clock_.micros() * 2654435761U);
    const auto fresh = static_cast<uint16_t>(salt >> 16);
    tag_ = fresh == 0 || fresh == tag_ ? static_cast<uint16_t>((tag_ & 0x7FFF) + 1) : fresh;
}

ModbusException ModbusServer::prove(Bytes proof) {
    if (!door_.is_needed()) return Exception::kNone;
    if (!has_challenge_) return refuse(WindowResult::kLocked, Exception::kValue);
    AccessProof asked = AccessProof::over(identity_.serial, challenge_);
    asked.set_proof(proof);
    if (!door_.submit(asked, clock_.now())) return refuse(WindowResult::kBusy, Exception::kBusy);
    has_challenge_ = false;
    Command wake_up;
    wake_up.kind = CommandKind::kJudge;
    (void)mailbox_.post(wake_up);  // a full mailbox wakes the engine as well
    return Exception::kNone;
}

ModbusException ModbusServer::refuse(WindowResult why, Exception exception) {
    last_result_ = why;
    ++errors_;
    return exception;
}

}  // namespace ota
