// The door before what a peer on a field bus may order: it answers a challenge first. The door
// keeps nuisance out and no more; what is installed is decided by signatures.
#pragma once

#include <atomic>

#include "base/bytes.hpp"
#include "base/fixed.hpp"
#include "ports/clock.hpp"

namespace ota {

// What a peer says it knows a key for.
struct AccessProof {
    static constexpr size_t kLongestMessage = 128;
    static constexpr uint8_t kRole = 1;  // who updates; the only one there is

    // What is signed for a challenge of Modbus' register and of UDS service 29.
    static AccessProof over(std::string_view serial, Bytes challenge) {
        AccessProof out;
        out.add(as_bytes("OTA1"));
        out.add({&kRole, 1});
        out.add(as_bytes(serial));
        out.add(challenge);
        return out;
    }
    void add(Bytes bytes) {
        for (const uint8_t byte : bytes) (void)message.push_back(byte);
    }
    void set_proof(Bytes bytes) {
        proof.clear();
        for (const uint8_t byte : bytes) (void)proof.push_back(byte);
    }

    FixedVector<uint8_t, kLongestMessage> message;
    FixedVector<uint8_t, 64> proof;  // HMAC-SHA-256, the first 16 bytes of one, or ECDSA r || s
};

// Between the link, which hears challenges asked for and proofs given, and the engine, which alone
// may use the crypto library.
class AccessDoor {
  public:
    static constexpr uint8_t kTries = 3;
    static constexpr Millis kPause = 10000;  // after so many, and after each start: a restart is no
                                             // way around it, and no flash is worn
    using Challenge = std::array<uint8_t, 32>;

    // ---------------------------------------------------------------- link context

    // No key is configured: the door stands open.
    void remove() { state_ = State::kNone; }
    bool is_needed() const { return state_ != State::kNone; }
    bool is_open() const { return state_ == State::kNone || state_ == State::kOpen; }
    bool is_asked() const { return state_ == State::kAsked; }
    // A peer that passed has just ordered something. After kIdle without it the door falls shut.
    static constexpr Millis kIdle = 60000;
    void touch(Millis now) { used_at_ = now; }
    void shut() {
        if (state_ == State::kOpen) state_ = State::kShut;
    }
    // How long no proof is looked at.
    Millis pause_left(Millis now) const { return pause_until_ > now ? pause_until_ - now : 0; }
    void pause(Millis now) { pause_until_ = now + kPause; }

    // A challenge that nobody has had. False: there is none yet; again in a while.
    bool take_challenge(Challenge& out) {
        if (fresh_.load(std::memory_order_acquire) != Fresh::kReady) return false;
        out = challenge_;
        fresh_.store(Fresh::kWanted, std::memory_order_release);
        return true;
    }
    // Hands a proof to the engine. False while it has another, or in a pause.
    bool submit(const AccessProof& proof, Millis now) {
        if (is_asked() || pause_left(now) != 0) return false;
        proof_ = proof;
        state_ = State::kAsked;
        asked_.store(Asked::kAsked, std::memory_order_release);
        return true;
    }
    // Takes note of what the engine has found; afterwards is_asked() is false. Often.
    void settle(Millis now) {
        if (state_ == State::kOpen && now - used_at_ > kIdle) shut();
        const Asked asked = asked_.load(std::memory_order_acquire);
        if (asked != Asked::kGood && asked != Asked::kBad) return;
        asked_.store(Asked::kNothing, std::memory_order_relaxed);
        const bool good = asked == Asked::kGood;
        state_ = good ? State::kOpen : State::kShut;
        used_at_ = now;
        failures_ = good ? uint8_t{0} : static_cast<uint8_t>(failures_ + 1);
        if (failures_ < kTries) return;
        failures_ = 0;
        pause(now);
    }

    // ---------------------------------------------------------------- engine context

    bool wants_challenge() const {
        return fresh_.load(std::memory_order_acquire) == Fresh::kWanted;
    }
    void give_challenge(const Challenge& challenge) {
        challenge_ = challenge;
        fresh_.store(Fresh::kReady, std::memory_order_release);
    }
    const AccessProof* asked() const {
        return asked_.load(std::memory_order_acquire) == Asked::kAsked ? &proof_ : nullptr;
    }
    void answer(bool good) {
        asked_.store(good ? Asked::kGood : Asked::kBad, std::memory_order_release);
    }

  private:
    enum class State : uint8_t { kShut, kAsked, kOpen, kNone };
    enum class Fresh : uint8_t { kWanted, kReady };
    enum class Asked : uint8_t { kNothing, kAsked, kGood, kBad };

    State state_ = State::kShut;
    uint8_t failures_ = 0;
    Millis pause_until_ = 0;
    Millis used_at_ = 0;
    Challenge challenge_{};
    std::atomic<Fresh> fresh_{Fresh::kWanted};
    AccessProof proof_;
    std::atomic<Asked> asked_{Asked::kNothing};
};

}  // namespace ota
