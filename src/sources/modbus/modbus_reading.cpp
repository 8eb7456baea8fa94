// What the registers say.
#include "base/error_kind.hpp"
#include "sources/modbus/modbus_server.hpp"

namespace ota {
namespace {

using namespace modbus;

constexpr size_t kBytes = 2;             // of a register
constexpr uint16_t kBusyRetry = 20;      // ms; the engine reads a window in less
constexpr uint16_t kPausedRetry = 1000;  // the battery takes its time

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

}  // namespace

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

}  // namespace ota
