#include "can_peer.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <chrono>
#include <thread>

namespace otactl {
namespace {

using ota::Code;
using ota::Status;
using ota::uds::Nrc;
namespace uds = ota::uds;

constexpr uint32_t kHighest11Bit = 0x7FF;
constexpr size_t kShortestBlock = 62;  // ten frames

ota::UdsClient::Config client_config(const CanPlace& place, ota::MutableBytes buffer) {
    ota::UdsClient::Config out;
    out.address.receive_id = place.response_id;
    out.address.send_id = place.request_id;
    out.address.is_29_bit = place.request_id > kHighest11Bit || place.response_id > kHighest11Bit;
    out.buffer = buffer;
    out.frame_size = place.fd ? ota::kFdCanData : ota::kClassicCanData;
    out.p2 = 1500;  // a host that is busy, an adapter on USB
    return out;
}

void put32(Buffer& out, uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
        out.push_back(static_cast<uint8_t>(value >> shift));
}

void put16(Buffer& out, uint16_t value) {
    out.push_back(static_cast<uint8_t>(value >> 8));
    out.push_back(static_cast<uint8_t>(value));
}

// ecdsa-with-SHA256 in DER, padded.
const Buffer& algorithm() {
    static const Buffer kAlgorithm = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04,
                                      0x03, 0x02, 0,    0,    0,    0,    0,    0};
    return kAlgorithm;
}

// What a technician can do about a code.
std::string code_text(Nrc code) {
    switch (code) {
        case Nrc::kBusy:
            return "an update is in hand there already";
        case Nrc::kConditions:
            return "not in this state, or the battery does not allow it: see otactl identify can";
        case Nrc::kVoltageLow:
            return "the battery's charge is too low";
        case Nrc::kTooHot:
            return "the cells are too hot";
        case Nrc::kTooCold:
            return "the cells are too cold";
        case Nrc::kLocked:
        case Nrc::kNotAuthenticated:
            return "the device's door is locked: --access-hmac or --access-key";
        case Nrc::kInvalidKey:
        case Nrc::kOwnership:
            return "the device does not accept this key";
        case Nrc::kTooManyTries:
        case Nrc::kTimeDelay:
            return "the device looks at no key for a while: wait ten seconds";
        case Nrc::kProgramming:
            return "the device refused the package";
        default:
            return fmt::format("negative response code 0x{:02X}", static_cast<unsigned>(code));
    }
}

}  // namespace

CanPeer::CanPeer(const CanPlace& place) : place_(place) {
    reconnect();
}

void CanPeer::reconnect() {
    ota::CanConfig config;
    config.interface = place_.interface.c_str();
    config.bitrate = place_.bitrate;
    config.is_fd = place_.fd;
    config.is_29_bit = place_.request_id > kHighest11Bit || place_.response_id > kHighest11Bit;
    const std::array<uint32_t, 2> wanted{place_.response_id, place_.request_id};
    config.identifiers = wanted;
    client_.reset();
    bus_.close();
    const Status opened = bus_.open(config);
    if (!opened.ok()) throw PeerLost(place_.interface + ": " + ota::status_text(opened));
    client_ = std::make_unique<ota::UdsClient>(bus_, clock_, client_config(place_, buffer_));
}

Status CanPeer::exchange(const Buffer& request, unsigned patience_ms) {
    client_->start(request, patience_ms);
    while (true) {
        stop_if_interrupted();
        const Status status = client_->poll();
        if (!status.is(Code::kTryAgain)) return status;
        const ota::Micros now = clock_.micros();
        const ota::Micros due = std::min(client_->due(), now + 20000);
        const auto wait = static_cast<long>(due > now ? due - now : 0);
        pollfd readable{bus_.descriptor(), POLLIN, 0};
        const timespec longest{0, wait * 1000};
        (void)ppoll(&readable, 1, &longest, nullptr);
    }
}

Buffer CanPeer::ask(const Buffer& request, Nrc* refused, unsigned patience_ms) {
    const Status status = exchange(request, patience_ms);
    if (status.ok()) return {client_->answer().begin(), client_->answer().end()};
    if (!status.is(Code::kRefused)) {
        throw PeerLost(fmt::format("{}, 0x{:X}: {}", place_.interface, place_.request_id,
                                   status.is(Code::kTimeout)
                                       ? "no answer; check identifiers, and that the device runs"
                                       : "no way through; check bus, rate and termination"));
    }
    if (refused != nullptr) {
        *refused = client_->code();
        return {};
    }
    const bool is_key = client_->code() == Nrc::kInvalidKey || client_->code() == Nrc::kOwnership;
    throw Failure(is_key ? Exit::kUntrusted : Exit::kRefused, code_text(client_->code()));
}

Buffer CanPeer::data(uint16_t did, unsigned attempts) {
    Buffer request = {static_cast<uint8_t>(uds::Service::kReadData)};
    put16(request, did);
    for (unsigned left = attempts;; --left) {
        try {
            const Buffer answer = ask(request);
            return answer.size() < 3 ? Buffer() : Buffer(answer.begin() + 3, answer.end());
        } catch (const PeerLost&) {
            if (left <= 1) throw;
        }
    }
}

std::string CanPeer::text(uint16_t did) {
    const Buffer bytes = data(did);
    return {bytes.begin(), bytes.end()};
}

PeerIdentity CanPeer::identify() {
    PeerIdentity out;
    out.version = text(uds::kDidVersion);
    out.hardware = text(uds::kDidHardware);
    out.serial = text(uds::kDidSerial);
    const Buffer components = ask({0x22, 0xF1, 0xA0});
    constexpr size_t kSecureVersion = 3 + 1 + 2;
    if (components.size() >= kSecureVersion + 4) {
        out.security_version = ota::load_be32(&components[kSecureVersion]);
    }
    return out;
}

PeerStatus CanPeer::status() {
    const Buffer state = ask({0x22, 0xF1, 0xA2});
    const Buffer package = ask({0x22, 0xF1, 0xA1});
    constexpr size_t kHead = 3;
    if (state.size() < kHead + 8 || package.size() < kHead + 44) {
        throw Failure(Exit::kPeer, "the device speaks another profile of UDS");
    }
    PeerStatus out;
    out.state = static_cast<ota::State>(state[kHead]);
    out.error = state[kHead + 1];
    out.detail = ota::load_be16(&state[kHead + 2]);
    out.progress = ota::load_be16(&state[kHead + 4]);
    out.interlock = ota::load_be16(&state[kHead + 6]);
    out.next = ota::load_be32(&package[kHead + 36]);
    out.durable = ota::load_be32(&package[kHead + 40]);
    return out;
}

void CanPeer::enter_programming() {
    (void)ask({0x10, 2});
}

void CanPeer::prove_by_seed(const AccessKey& access) {
    const Buffer seed = ask({0x27, 0x11});
    if (seed.size() != 18) throw Failure(Exit::kPeer, "the device's seed is malformed");
    if (std::all_of(seed.begin() + 2, seed.end(), [](uint8_t b) { return b == 0; })) return;
    if (access.hmac_file.empty()) return prove_by_key(access);
    const std::string serial = text(uds::kDidSerial);
    Buffer message(seed.begin() + 2, seed.end());
    message.push_back(0x11);
    message.insert(message.end(), serial.begin(), serial.end());
    Buffer request = {0x27, 0x12};
    const Buffer key = make_proof(access, message, 16);
    request.insert(request.end(), key.begin(), key.end());
    (void)ask(request);
}

void CanPeer::prove_by_key(const AccessKey& access) {
    if (access.key.empty()) throw Failure(Exit::kRefused, code_text(Nrc::kLocked));
    Buffer request = {0x29, 5, 0};
    request.insert(request.end(), algorithm().begin(), algorithm().end());
    const Buffer answer = ask(request);
    constexpr size_t kChallenge = 3 + 16 + 2;
    if (answer.size() < kChallenge + 32) throw Failure(Exit::kPeer, "the challenge is malformed");
    const Buffer challenge(answer.begin() + kChallenge, answer.begin() + kChallenge + 32);
    const Buffer signature = make_proof(access, text(uds::kDidSerial), challenge);
    Buffer proof = {0x29, 6};
    proof.insert(proof.end(), algorithm().begin(), algorithm().end());
    put16(proof, static_cast<uint16_t>(signature.size()));
    proof.insert(proof.end(), signature.begin(), signature.end());
    put32(proof, 0);
    (void)ask(proof);
}

void CanPeer::unlock(const AccessKey& access) {
    access_ = access;
    enter_programming();
    prove_by_seed(access);
}

// Its digest lets the device recognise what it holds of it.
void CanPeer::open(const PackageName& package, const OpenOptions&) {
    package_ = package;
    Buffer announcement = {0x2E, 0xF1, 0xA1};
    announcement.insert(announcement.end(), package.digest.begin(), package.digest.end());
    put32(announcement, package.size);
    (void)ask(announcement);
    const uint32_t next = status().next;
    if (next != 0 && begin(next)) return;
    if (!begin(0)) throw Failure(Exit::kRefused, code_text(client_->code()));
}

bool CanPeer::begin(uint32_t offset) {
    Buffer request = {0x34, 0, 0x44};
    put32(request, offset);
    put32(request, package_.size - offset);
    Nrc code = Nrc::kNone;
    const Buffer answer = ask(request, &code);
    if (answer.size() < 4) {
        if (offset == 0) throw Failure(Exit::kRefused, code_text(code));
        return false;
    }
    counter_ = 0;
    longest_ = std::min<size_t>(ota::load_be16(&answer[2]) - uds::kBlockHead, 2048);
    block_ = std::min(block_, longest_);
    return true;
}

PushPeer::Written CanPeer::write(uint32_t offset, const uint8_t* bytes, size_t size) {
    Buffer request = {0x36, static_cast<uint8_t>(counter_ + 1)};
    request.insert(request.end(), bytes, bytes + size);
    const Status sent = exchange(request, 40000);
    if (sent.ok()) {
        ++counter_;
        block_ = std::min(block_ + block_ / 4, longest_);
        return Written::kTaken;
    }
    if (!sent.is(Code::kRefused)) {
        // A long message does not get through a bus that loses frames. Or was it the answer?
        block_ = std::max(block_ / 2, kShortestBlock);
        const uint32_t next = status().next;
        if (next == offset + size) {
            ++counter_;
            return Written::kTaken;
        }
        return next == offset ? Written::kLater : Written::kElsewhere;
    }
    switch (client_->code()) {
        case Nrc::kBusy:
            return Written::kLater;
        case Nrc::kServiceInSession:
        case Nrc::kLocked:
            unlock(access_);
            [[fallthrough]];
        case Nrc::kSequence:
        case Nrc::kBlockCounter:
        case Nrc::kConditions:
        case Nrc::kVoltageLow:
        case Nrc::kTooHot:
        case Nrc::kTooCold:
            // Parked, or it has other bytes than we think.
            return begin(status().next) ? Written::kElsewhere : Written::kLater;
        default:
            return Written::kElsewhere;  // its status says why
    }
}

void CanPeer::routine(uint16_t id, const char* what) {
    Buffer request = {0x31, 1};
    put16(request, id);
    const Buffer answer = ask(request);
    if (answer.size() >= 5 && answer[4] == 0) return;
    const auto detail =
        static_cast<ota::Detail>(answer.size() >= 7 ? ota::load_be16(&answer[5]) : uint16_t{0});
    throw Failure(exit_of(detail), fmt::format("{}: {}", what, ota::detail_text(detail)));
}

void CanPeer::finish() {
    Nrc code = Nrc::kNone;
    (void)ask({0x37}, &code);  // 24: an earlier one was heard, its answer was not
    routine(uds::kRoutineVerify, "the package");
}

void CanPeer::apply() {
    (void)ask({0x11, 1});
}

}  // namespace otactl
