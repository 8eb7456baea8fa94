// Windows, orders and proofs.
#include "sources/modbus/modbus_server.hpp"

namespace ota {
namespace {

using namespace modbus;

constexpr size_t kBytes = 2;       // of a register
constexpr size_t kWindowHead = 6;  // bytes of WIN_TAG and WIN_OFFSET
constexpr size_t kHmacRegisters = 16;
constexpr size_t kSignatureRegisters = 32;

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

}  // namespace ota
