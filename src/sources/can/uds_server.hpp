// The device as a UDS server (ISO 14229-1) over the push desk: what a tester sends, and what it is
// answered. docs/can-profile.md.
#pragma once

#include "ports/access_door.hpp"
#include "sources/push_desk.hpp"
#include "wire/uds.hpp"

namespace ota {

// What does not change while it runs. Views into the caller's storage.
struct UdsIdentity {
    std::string_view serial;
    std::string_view hardware;
    bool takes_suit = false;
};

// Link context. A request is answered at once, or with "response pending" until it can be.
class UdsServer {
  public:
    static constexpr size_t kLongestAnswer = 512;

    UdsServer(const UdsIdentity& identity, PushDesk& desk, AccessDoor& door, Mailbox& mailbox,
              Clock& clock)
        : identity_(identity), desk_(desk), door_(door), mailbox_(mailbox), clock_(clock) {}

    // A request that came whole. request stays valid until is_pending() is false.
    void take(Bytes request, bool is_functional);
    // Timers, and what is under way.
    void poll();
    // The answer that has to be sent now; empty: none. Until the next call of anything.
    Bytes next_answer();
    // It is out, or lost: the session's timer begins.
    void answered() { active_at_ = clock_.now(); }

    // A request is not answered finally yet: another one has to wait.
    bool is_pending() const { return pending_ != Pending::kNone; }
    // Or its answer has not been fetched.
    bool is_busy() const { return is_pending() || has_answer_ || tells_pending_; }
    // A request is on its way: the session does not end meanwhile.
    void stay() { active_at_ = clock_.now(); }
    uds::Session session() const { return session_; }

  private:
    using Nrc = uds::Nrc;
    enum class Pending : uint8_t { kNone, kTransfer, kVerify, kOrder, kOpen, kProof, kChallenge };

    // An answer as it grows.
    class Answer {
      public:
        void start(uint8_t first) {
            size_ = 0;
            overrun_ = false;
            u8(first);
        }
        void u8(uint8_t value) {
            if (size_ == bytes_.size()) {
                overrun_ = true;
            } else {
                bytes_[size_++] = value;
            }
        }
        void u16(uint16_t value) {
            u8(static_cast<uint8_t>(value >> 8));
            u8(static_cast<uint8_t>(value));
        }
        void u32(uint32_t value) {
            u16(static_cast<uint16_t>(value >> 16));
            u16(static_cast<uint16_t>(value));
        }
        void copy(Bytes bytes) {
            for (const uint8_t byte : bytes) u8(byte);
        }
        bool fits() const { return !overrun_; }
        Bytes bytes() const { return Bytes(bytes_).first(size_); }

      private:
        std::array<uint8_t, kLongestAnswer> bytes_{};
        size_t size_ = 0;
        bool overrun_ = false;
    };

    Nrc serve(Bytes request);
    Nrc check_session(uds::Service service) const;
    static size_t shortest(uds::Service service);
    static bool needs_open_door(uds::Service service);
    Nrc change_session(Bytes request);
    Nrc reset(Bytes request);
    Nrc read_data(Bytes request);
    bool put_data(uint16_t did);
    void put_components();
    void put_package();
    void put_state();
    Nrc write_data(Bytes request);
    Nrc announce(Bytes data);
    Nrc security_access(Bytes request);
    Nrc authentication(Bytes request);
    Nrc give_challenge();
    static bool is_ecdsa(Bytes algorithm);
    Nrc verify_proof(Bytes request);
    Nrc submit(AccessProof& asked, Bytes proof);
    Nrc communication(Bytes request);
    Nrc routine(Bytes request);
    Nrc download(Bytes request);
    Nrc request_file(Bytes request);
    Nrc open(uint32_t address, uint32_t size);
    Nrc begin_transfer();
    Nrc transfer(Bytes request);
    Nrc transfer_exit(Bytes request);
    Nrc write_block();
    Nrc block_code(PushDesk::Written written) const;
    Nrc end_transfer(Nrc code);
    Nrc overdue();
    bool is_own_transfer() const;
    Nrc failure_code() const;
    Nrc refusal(Status why) const;
    bool owns_package() const;
    Nrc apply();
    Nrc under_way(Pending what);
    Nrc finish_pending();
    Nrc finish_open();
    Nrc finish_order();
    Nrc finish_verify();
    Nrc finish_proof();
    Nrc order(PushDesk::Order what, Pending as);
    Nrc conclude_order(Status result);
    Nrc conclude_verify(Status result);
    Nrc interlock_code() const;
    void tell_pending();
    void conclude(Nrc code);
    void enter(uds::Session session);

    UdsIdentity identity_;
    PushDesk& desk_;
    AccessDoor& door_;
    Mailbox& mailbox_;
    Clock& clock_;

    uds::Session session_ = uds::Session::kDefault;
    Millis active_at_ = 0;

    // the request in hand
    Bytes request_;
    bool is_functional_ = false;
    Answer answer_;
    bool has_answer_ = false;
    Pending pending_ = Pending::kNone;
    Millis pending_since_ = 0;
    Millis tell_at_ = 0;
    bool told_pending_ = false;
    bool tells_pending_ = false;
    std::array<uint8_t, 3> pending_answer_{};
    Millis paused_since_ = 0;

    // the package
    PushOffer announced_;
    bool is_transferring_ = false;
    uint32_t transfer_of_ = 0;  // bound_count() of the desk
    uint32_t ticket_ = 0;       // of the desk, for what is under way there
    uint32_t offset_ = 0;
    uint32_t opened_at_ = 0;
    bool is_file_ = false;
    uint8_t counter_ = 0;  // of the last block that was taken
    bool any_block_ = false;
    bool is_written_ = false;  // the block in hand

    // the door
    AccessDoor::Challenge challenge_{};
    bool has_seed_ = false;

    std::array<uint8_t, 14> fingerprint_{};
    std::array<uint8_t, 16> tester_serial_{};
    std::array<uint8_t, 4> programming_date_{};
};

}  // namespace ota
