#include "modbus_peer.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "sources/modbus/register_map.hpp"

namespace otactl {
namespace {

using namespace ota::modbus;

std::string text_of(const std::vector<uint16_t>& registers, size_t at) {
    std::string out;
    for (size_t i = at; i < at + kTextRegisters; ++i) {
        for (const unsigned shift : {8U, 0U}) {
            const char c = static_cast<char>(static_cast<unsigned>(registers[i]) >> shift & 0xFFU);
            if (c == '\0') return out;
            out += c;
        }
    }
    return out;
}

uint32_t number_at(const std::vector<uint16_t>& registers, size_t at) {
    return uint32_t{registers[at]} << 16 | registers[at + 1];
}

void put_number(std::vector<uint16_t>& registers, uint32_t value) {
    registers.push_back(static_cast<uint16_t>(value >> 16));
    registers.push_back(static_cast<uint16_t>(value));
}

template <typename Bytes>
void put_bytes(std::vector<uint16_t>& registers, const Bytes& bytes, size_t size) {
    for (size_t i = 0; i < size; i += 2) {
        const unsigned high = bytes[i];
        const unsigned low = i + 1 < size ? bytes[i + 1] : 0U;
        registers.push_back(static_cast<uint16_t>(high << 8 | low));
    }
}

// Milliseconds.
constexpr unsigned kLongestOrder = 20000;
constexpr unsigned kLongestVerify = 600000;
constexpr unsigned kFirstLook = 1000;  // a red battery may keep it for days

void sleep_ms(unsigned time) {
    std::this_thread::sleep_for(std::chrono::milliseconds(time));
}

}  // namespace

unsigned answer_timeout_ms(const ModbusPlace& place) {
    if (place.line.empty()) return 1000;
    constexpr unsigned kCharacters = 2 * 256;
    return 500 + kCharacters * 11 * 1000 / static_cast<unsigned>(place.baud);
}

void ModbusPeer::connect() {
    modbus_t* made = nullptr;
    if (place_.line.empty()) {
        made = modbus_new_tcp_pi(place_.host.c_str(), place_.port.c_str());
    } else {
        made = modbus_new_rtu(place_.line.c_str(), place_.baud, place_.format[1], 8,
                              place_.format[2] - '0');
    }
    if (made == nullptr) throw Failure(Exit::kUsage, "no such line, rate or format");
    modbus_.reset(made);
    const unsigned timeout = answer_timeout_ms(place_);
    (void)modbus_set_slave(made, place_.unit);
    (void)modbus_set_response_timeout(made, timeout / 1000, timeout % 1000 * 1000);
    if (modbus_connect(made) != 0) lost();
}

void ModbusPeer::lost() const {
    const std::string where = place_.line.empty() ? place_.host + ":" + place_.port : place_.line;
    throw PeerLost(fmt::format("{}, unit {}: {}; check address and unit, and that the device runs",
                               where, place_.unit, modbus_strerror(errno)));
}

ModbusPeer::Registers ModbusPeer::read(int at, int count) {
    Registers out(static_cast<size_t>(count));
    if (modbus_read_registers(modbus_.get(), place_.base + at, count, out.data()) == count) {
        return out;
    }
    if (errno == EMBXILADD) {
        throw Failure(Exit::kPeer,
                      fmt::format("no update block at register {}: another --base?", place_.base));
    }
    lost();
}

int ModbusPeer::write_registers(int at, const Registers& values) {
    const int count = static_cast<int>(values.size());
    if (modbus_write_registers(modbus_.get(), place_.base + at, count, values.data()) == count) {
        return 0;
    }
    if (errno > MODBUS_ENOBASE && errno < EMBBADCRC) return errno - MODBUS_ENOBASE;
    lost();
}

PeerIdentity ModbusPeer::identify() {
    const Registers block = read(0, kStatusEnd);
    if (number_at(block, kRegMagic) != kMagic || block[kRegMapVersion] >> 8 != kMapVersion >> 8) {
        throw Failure(Exit::kPeer,
                      fmt::format("no update block at register {}: another --base?", place_.base));
    }
    block_ = std::min<size_t>(block[kRegMaxData], kMaxDataRegisters) * 2;
    sequence_ = block[kRegSequenceDone];
    tag_ = block[kRegTag];
    PeerIdentity out;
    out.version = text_of(block, kRegVersion);
    out.hardware = text_of(block, kRegHardware);
    out.serial = text_of(block, kRegSerial);
    out.security_version = number_at(block, kRegSecureVersion);
    out.is_locked = (block[kRegCaps] & kCapLocked) != 0;
    return out;
}

PeerStatus ModbusPeer::status() {
    const Registers block = read(kRegState, kRegResult + 1 - kRegState);
    const auto at = [&](int reg) { return block[static_cast<size_t>(reg - kRegState)]; };
    PeerStatus out;
    out.state = static_cast<ota::State>(at(kRegState));
    out.error = static_cast<uint8_t>(at(kRegError));
    out.detail = at(kRegDetail);
    out.progress = at(kRegProgress);
    out.interlock = at(kRegInterlock);
    out.next = number_at(block, kRegNext - kRegState);
    out.durable = number_at(block, kRegDurable - kRegState);
    pause_ = at(kRegRetry);
    return out;
}

void ModbusPeer::unlock(const AccessKey& access) {
    if (read(kRegAccess, 1)[0] == 2) return;
    if (access.empty()) {
        throw Failure(Exit::kRefused, "the device's door is locked: --access-hmac or --access-key");
    }
    const std::string serial = text_of(read(kRegSerial, kTextRegisters), 0);
    for (int tries = 0; tries < 100; ++tries) {
        const Registers challenge = read(kRegChallenge, kDigestRegisters);
        Buffer bytes;
        for (const uint16_t value : challenge) {
            bytes.push_back(static_cast<uint8_t>(value >> 8));
            bytes.push_back(static_cast<uint8_t>(value));
        }
        const Buffer proof = make_proof(access, serial, bytes);
        Registers values;
        put_bytes(values, proof, proof.size());
        uint16_t state = 3;
        if (write_registers(kRegProof, values) == 0) {
            do {
                sleep_ms(20);
                state = read(kRegAccess, 1)[0];
            } while (state == 1);
        } else {
            state = read(kRegAccess, 1)[0];
        }
        if (state == 2) return;
        stop_if_interrupted();
        if (state == 0) throw Failure(Exit::kUntrusted, "the device does not accept this key");
        sleep_ms(500);  // it lets nobody try for a while
    }
    throw Failure(Exit::kPeer, "the device's door stays shut");
}

// A sequence number of its own makes an order that is repeated harmless.
ModbusPeer::Result ModbusPeer::order(Registers values, const char* what, unsigned longest_ms) {
    if (unanswered_ != values[1]) ++sequence_;
    unanswered_ = values[1];
    values[0] = sequence_;
    if (const int exception = write_registers(kRegSequence, values)) {
        unanswered_ = 0;
        const uint16_t reason = read(kRegLastResult, 1)[0];
        if (reason == static_cast<uint16_t>(WindowResult::kLocked)) {
            throw Failure(Exit::kRefused,
                          "the device's door is locked: --access-hmac or --access-key");
        }
        throw Failure(Exit::kPeer, fmt::format("{}: Modbus exception {}", what, exception));
    }
    constexpr unsigned kPoll = 50;
    for (unsigned waited = 0; waited <= longest_ms; waited += kPoll) {
        const Registers done = read(kRegSequenceDone, 2);
        if (done[0] != sequence_)
            throw Failure(Exit::kPeer, "another master is at work: wait until it is done");
        if (done[1] != kResultPending) {
            unanswered_ = 0;
            if (done[1] == kResultOk) return Result::kDone;
            const auto detail = static_cast<ota::Detail>(done[1] - kResultFailure);
            const bool is_other = detail == ota::Detail::kOtherPackage;
            throw Failure(exit_of(detail), fmt::format("{}: {}{}", what, ota::detail_text(detail),
                                                       is_other ? " (--replace)" : ""));
        }
        stop_if_interrupted();
        sleep_ms(kPoll);
    }
    return Result::kUnderWay;
}

void ModbusPeer::open(const PackageName& package, const OpenOptions& options) {
    Registers values = {0, static_cast<uint16_t>(Order::kOpen), 0, 0};
    put_number(values, package.size);
    values.push_back(0);
    values.push_back(static_cast<uint16_t>((options.replaces ? kFlagReplace : 0) |
                                           (options.applies_itself ? kFlagApply : 0)));
    put_bytes(values, package.digest, package.digest.size());
    if (order(values, "open", kLongestOrder) == Result::kUnderWay) lost();
    tag_ = read(kRegTag, 1)[0];
}

void ModbusPeer::finish() {
    const Result result =
        order({0, static_cast<uint16_t>(Order::kFinish)}, "the package", kLongestVerify);
    if (result == Result::kUnderWay) {
        throw Failure(Exit::kPeer, "the device is verifying still: run the same command again");
    }
}

void ModbusPeer::apply() {
    (void)order({0, static_cast<uint16_t>(Order::kApply), 0, 0}, "apply", kFirstLook);
}

PushPeer::Written ModbusPeer::write(uint32_t offset, const uint8_t* bytes, size_t size) {
    Registers values = {tag_};
    put_number(values, offset);
    put_bytes(values, bytes, size);
    const int exception = write_registers(kRegWindow, values);
    constexpr int kBusy = 6;
    if (exception == 0) return Written::kTaken;
    if (exception == kBusy) return Written::kLater;
    const auto reason = static_cast<WindowResult>(read(kRegLastResult, 1)[0]);
    if (reason == WindowResult::kNoSession || reason == WindowResult::kStaleTag) {
        throw Failure(Exit::kPeer,
                      "another master has taken over, or the device was restarted: "
                      "run the same command again");
    }
    return Written::kElsewhere;
}

}  // namespace otactl
