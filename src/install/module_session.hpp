// The conversation with one module board: what it holds, and its update from start to end. The
// services are those of docs/can-profile.md, "Module boards".
#pragma once

#include <optional>

#include "install/module_exchange.hpp"
#include "install/uds_client.hpp"

namespace ota {

// Link context. Nothing here waits: start(), then poll() until it is over. What a board has taken
// stays on the board; power lost here, there, or on both sides is taken up by the next start().
class ModuleSession {
  public:
    struct Config {
        uint8_t own_address = 0x10;
        uint8_t priority = 7;
        bool is_29_bit = true;
        uint8_t frame_size = 8;     // with CAN FD up to 64
        std::string_view hardware;  // what F191 has to begin with; empty: anything
    };
    ModuleSession(CanBus& bus, Clock& clock, ModuleExchange& exchange, BoardKey& key,
                  const Config& config)
        : bus_(bus), clock_(clock), exchange_(exchange), key_(key), config_(config) {}

    void start(const BoardOrder& order, uint8_t address);
    // Everything of an installation that a board bears while it works: identity, access, erasing.
    void prepare(const BoardOrder& order, uint8_t number, uint8_t address);
    // kTryAgain: under way. kTimeout / kBoardSilent: it does not answer. kRefused / kBoardOther,
    // kBoardLocked, kBoardRefused: it keeps what it has. kTimeout / kBoardLost, kRefused /
    // kBoardFailed: it was changed, and did not come back, or not with the image.
    Status poll();
    void stop();
    // When poll() may have something to do, frames of the board apart.
    Micros due() const;

    bool is_idle() const { return step_ == Step::kIdle; }
    // Which board is in hand, or was; 0: none.
    uint8_t number() const { return order_.number; }
    bool is_transferring() const { return step_ == Step::kBlock; }
    bool holds() const { return is_held_ && !is_on_trial_; }
    // Has the board said whether it holds the image?
    bool has_looked() const { return has_looked_; }
    bool is_about(const Digest& digest, uint32_t size) const {
        return order_.digest == digest && order_.size == size;
    }
    const VersionText& version() const { return version_; }

  private:
    static constexpr Millis kLongestBoot = 60000;  // fieldbus profile
    static constexpr Millis kBootPoll = 200;

    enum class Step : uint8_t {
        kIdle,
        kVersion,
        kRunning,
        kHardware,
        kSession,
        kSerial,
        kSeed,
        kProof,
        kKey,
        kRecord,
        kName,
        kErase,
        kDownload,
        kBlock,
        kExit,
        kCheck,
        kReset,
        kConfirm,
    };

    void open(const BoardOrder& order, uint8_t number, uint8_t address);
    void enter(Step step);
    void ask(Bytes request, Millis patience);
    bool ask_step();
    bool ask_to_program();
    bool ask_block();
    Status after(Status status);
    Status answered(Bytes data);
    Status go(Step step);
    Status take_running(Bytes data);
    Status take_seed(Bytes seed);
    Status take_record(Bytes data);
    Status take_length(Bytes data);
    Status next_block();
    Status take_check(Bytes data);
    Status await_restart();
    Status decide();
    Status refused(uds::Nrc code);
    Status no_answer();
    Status bus_is_down();
    Status shorten();
    Status recover(Detail in_the_end);
    Step step_when_open() const;
    Status lost();
    Status end(Code code, Detail detail);
    Status done();
    bool is_named(Bytes data) const;

    CanBus& bus_;
    Clock& clock_;
    ModuleExchange& exchange_;
    BoardKey& key_;
    const Config config_;

    BoardOrder order_;
    bool only_prepares_ = false;
    std::array<uint8_t, 96> received_{};
    std::optional<UdsClient> client_;
    FixedVector<uint8_t, 64> request_;
    Step step_ = Step::kIdle;
    bool is_asked_ = false;
    Millis ask_at_ = 0;
    Millis step_since_ = 0;
    Millis opened_at_ = 0;

    // What the board has said.
    VersionText version_;
    bool is_held_ = false;      // it runs the image …
    bool is_on_trial_ = false;  // … and goes back from it unless it is confirmed
    BoardKey::Question question_;
    uint32_t next_ = 0;          // offset that it wants
    uint32_t longest_ = 0;       // bytes of the image that it takes in one request
    uint32_t block_size_ = 0;    // that are sent; 0: not known yet
    uint32_t block_length_ = 0;  // of the one under way
    uint8_t counter_ = 0;        // of the block under way
    size_t slot_ = 0;            // of the exchange: which block is under way

    bool touched_ = false;  // it was asked to erase, or to restart
    bool was_reset_ = false;
    bool is_rewritten_ = false;  // from the start, after it did not hold the image
    bool is_erased_ = false;     // for this image
    bool drops_trial_ = false;   // it restarts to be rid of another image …
    bool has_dropped_ = false;   // … which is tried once
    bool has_looked_ = false;
    uint8_t repeats_ = 0;  // of a request that was not answered
    uint8_t recoveries_ = 0;
    uint32_t recovered_at_ = 0;  // offset
    uint8_t silences_ = 0;       // while it restarts, in a row
    uint8_t confirmations_ = 0;
    uint8_t busy_ = 0;        // answers that it is busy, in a row
    Millis await_until_ = 0;  // it may be silent until then
    Millis reset_by_ = 0;     // from then on what it runs is what it came back with
    Millis bus_down_since_ = 0;
};

}  // namespace ota
