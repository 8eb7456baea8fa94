// Who may program: 27 with a seed and its HMAC, 29 with a challenge and a signature.
#include "sources/can/uds_server.hpp"

namespace ota {

using uds::Nrc;

namespace {

// 27: the level that is customary for programming.
constexpr uint8_t kSeed = 0x11;
constexpr uint8_t kKey = 0x12;
constexpr size_t kSeedSize = 16;

// 29.
constexpr uint8_t kDeauthenticate = 0;
constexpr uint8_t kRequestChallenge = 5;
constexpr uint8_t kVerifyProof = 6;
constexpr uint8_t kConfiguration = 8;
constexpr uint8_t kAsymmetric = 0x03;  // challenge and response, by key pairs
constexpr uint8_t kDeauthenticated = 0x10;
constexpr uint8_t kAuthenticated = 0x12;
constexpr uint8_t kRequested = 0x00;
// algorithmIndicator: ecdsa-with-SHA256, 1.2.840.10045.4.3.2 in DER, padded with zeros.
constexpr std::array<uint8_t, 16> kEcdsaSha256 = {0x06, 0x08, 0x2A, 0x86, 0x48,
                                                  0xCE, 0x3D, 0x04, 0x03, 0x02};

}  // namespace

Nrc UdsServer::security_access(Bytes request) {
    const uint8_t level = request[1] & 0x7F;
    if (level != kSeed && level != kKey) return Nrc::kSubFunction;
    if (level == kSeed) {
        if (request.size() != 2) return Nrc::kLength;
        if (!door_.is_open() && door_.pause_left(clock_.now()) != 0) return Nrc::kTimeDelay;
        return under_way(Pending::kChallenge);
    }
    if (request.size() != 2 + kSeedSize) return Nrc::kLength;
    if (!has_seed_) return Nrc::kSequence;
    AccessProof proof;
    proof.add(Bytes(challenge_).first(kSeedSize));
    proof.add({&kSeed, 1});
    proof.add(as_bytes(identity_.serial));
    return submit(proof, request.subspan(2));
}

Nrc UdsServer::authentication(Bytes request) {
    switch (request[1] & 0x7F) {
        case kDeauthenticate:
            if (request.size() != 2) return Nrc::kLength;
            door_.shut();
            answer_.u8(kDeauthenticate);
            answer_.u8(kDeauthenticated);
            return Nrc::kNone;
        case kConfiguration:
            if (request.size() != 2) return Nrc::kLength;
            answer_.u8(kConfiguration);
            answer_.u8(kAsymmetric);
            return Nrc::kNone;
        case kRequestChallenge:
            if (request.size() != 3 + kEcdsaSha256.size()) return Nrc::kLength;
            if (!is_ecdsa(request.subspan(3))) return Nrc::kRange;
            if (!door_.is_open() && door_.pause_left(clock_.now()) != 0) return Nrc::kTimeDelay;
            return under_way(Pending::kChallenge);
        case kVerifyProof:
            return verify_proof(request);
        default:
            return Nrc::kSubFunction;
    }
}

bool UdsServer::is_ecdsa(Bytes algorithm) {
    return std::equal(kEcdsaSha256.begin(), kEcdsaSha256.end(), algorithm.begin());
}

// algorithm, length and proof, then an own challenge and more, which this device has no use for.
Nrc UdsServer::verify_proof(Bytes request) {
    constexpr size_t kSignature = 64;
    constexpr size_t kHead = 2 + kEcdsaSha256.size() + 2;
    if (request.size() != kHead + kSignature + 4) return Nrc::kLength;
    const bool usable = is_ecdsa(request.subspan(2)) &&
                        load_be16(&request[kHead - 2]) == kSignature &&
                        load_be32(&request[kHead + kSignature]) == 0;
    if (!usable) return Nrc::kRange;
    if (!has_seed_) return Nrc::kSequence;
    AccessProof proof = AccessProof::over(identity_.serial, challenge_);
    return submit(proof, request.subspan(kHead, kSignature));
}

// Of both services: a challenge that nobody has had. A door that is open says so with zeros.
Nrc UdsServer::give_challenge() {
    const bool is_seed = static_cast<uds::Service>(request_[0]) == uds::Service::kSecurityAccess;
    const bool open = door_.is_open();
    if (open) {
        challenge_ = {};
    } else if (!door_.take_challenge(challenge_)) {
        return Nrc::kPending;
    }
    has_seed_ = !open;
    if (is_seed) {
        answer_.u8(kSeed);
        answer_.copy(Bytes(challenge_).first(kSeedSize));
        return Nrc::kNone;
    }
    answer_.u8(kRequestChallenge);
    answer_.u8(kRequested);
    answer_.copy(kEcdsaSha256);
    answer_.u16(static_cast<uint16_t>(challenge_.size()));
    answer_.copy(challenge_);
    answer_.u16(0);
    return Nrc::kNone;
}

Nrc UdsServer::submit(AccessProof& asked, Bytes proof) {
    has_seed_ = false;
    if (door_.is_open()) return finish_proof();
    asked.set_proof(proof);
    if (!door_.submit(asked, clock_.now())) return Nrc::kTimeDelay;
    Command wake_up;
    wake_up.kind = CommandKind::kJudge;
    (void)mailbox_.post(wake_up);  // a full mailbox wakes the engine as well
    return under_way(Pending::kProof);
}

Nrc UdsServer::finish_proof() {
    if (door_.is_asked()) return Nrc::kPending;
    const bool is_key = static_cast<uds::Service>(request_[0]) == uds::Service::kSecurityAccess;
    if (!door_.is_open()) {
        if (door_.pause_left(clock_.now()) != 0) return Nrc::kTooManyTries;
        return is_key ? Nrc::kInvalidKey : Nrc::kOwnership;
    }
    if (is_key) {
        answer_.u8(kKey);
        return Nrc::kNone;
    }
    answer_.u8(kVerifyProof);
    answer_.u8(kAuthenticated);
    answer_.copy(kEcdsaSha256);
    answer_.u16(0);
    return Nrc::kNone;
}

}  // namespace ota
