// A board of a battery module as its bus and its flash see it: a UDS server with two slots, trial
// and return (docs/can-profile.md, "Module boards"). It shares ISO-TP with the core and nothing
// else of it; what can go wrong with a board can be asked for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "board_state.hpp"
#include "ports/can_bus.hpp"
#include "wire/isotp.hpp"

namespace board {

struct Timing {
    uint32_t erase_sector_us = 45000;  // GD25Q128E and W25Q128JV class, typical
    uint32_t program_page_us = 500;
    uint32_t check_us = 40;  // for each page that is hashed
    uint32_t boot_us = 1500000;
};

struct Faults {
    bool is_dead = false;        // hears nothing
    bool reverts = false;        // a new image does not start: the old one comes back
    bool never_returns = false;  // from the restart into a new image
    bool refuses_downgrade = false;
    bool refuses_confirmation = false;
    bool forgets_name = false;      // of an image that it was told
    uint32_t wrong_counter_at = 0;  // the block that contains this offset is answered wrongly
    uint32_t reset_at = 0;          // resets when so many bytes have come, once
    uint32_t busy_answers = 0;      // so many requests are answered with 21 first
};

struct Identity {
    uint8_t number = 1;
    std::string hardware = "BESS-MODULE-R1";
    std::string serial = "M0001";
    std::vector<uint8_t> key;  // HMAC-SHA-256; empty: unlocked
};

class ModuleBoard {
  public:
    ModuleBoard(ota::Flash& flash, ota::Clock& clock, ota::CanBus& bus, const Identity& identity,
                const Timing& timing = {});

    // Frames in and out, timers. Often.
    void poll();
    // Power lost and back, or a reset by whatever else.
    void reset();
    // From the factory: what runs before the first update.
    void put_image(const std::vector<uint8_t>& image);

    std::string version() const { return version_of(state_.running); }
    bool is_on_trial() const { return state_.is_on_trial; }
    bool is_silent() const;
    const State& state() const { return state_; }
    std::vector<uint8_t> running_image() const;
    uint32_t taken() const { return next_; }
    uint32_t erases() const { return erases_; }
    uint64_t offline_micros() const { return offline_micros_; }

    Faults faults;

  private:
    using Message = std::vector<uint8_t>;

    void start();
    void handle(ota::Bytes request, bool is_functional);
    Message serve(ota::Bytes request);
    Message read_data(ota::Bytes request) const;
    Message change_session(uint8_t session);
    Message access(ota::Bytes request);
    Message name_package(ota::Bytes request);
    Message routine(ota::Bytes request);
    Message erase();
    Message check();
    Message confirm();
    Message download(ota::Bytes request);
    Message take_block(ota::Bytes request);
    bool program(ota::Bytes bytes);
    Message finish_transfer();
    Message restart();
    void answer_later(uint64_t micros) { extra_ += micros; }
    void move_answer();
    void move_frames();
    void turn_to_sender(const ota::CanFrame& frame);
    void open_link();
    void follow(ota::IsoTpLink::Event event);
    uint8_t own_address() const { return static_cast<uint8_t>(0x20 + identity_.number); }
    std::string version_of(uint8_t slot) const;
    std::array<uint8_t, 16> expected_key() const;
    bool is_image_named() const { return state_.named.size != 0; }

    ota::Flash& flash_;
    ota::Clock& clock_;
    ota::CanBus& bus_;
    const Identity identity_;
    const Timing timing_;
    StateLog log_;
    State state_;

    std::array<uint8_t, 2050> received_{};
    std::optional<ota::IsoTpLink> link_;
    bool is_frame_out_ = false;
    uint8_t peer_ = 0;  // address of who is spoken with

    // Gone with a reset.
    uint64_t starts_at_ = 0;
    uint8_t session_ = 1;
    uint64_t session_ends_at_ = 0;
    bool is_open_ = false;
    std::array<uint8_t, 16> seed_{};
    bool has_seed_ = false;
    uint8_t service_ = 0;  // of the request in hand
    Message answer_;
    uint64_t answer_at_ = 0;
    uint64_t pending_at_ = 0;  // 78 is due
    uint64_t extra_ = 0;       // time that the request in hand takes
    Message sent_;
    Image pending_name_;  // by the tester, before it erased
    uint32_t next_ = 0;
    bool is_transferring_ = false;
    bool is_checked_ = false;
    uint8_t counter_ = 0;  // of the last block
    uint64_t resets_at_ = 0;
    uint32_t erases_ = 0;
    uint64_t offline_micros_ = 0;
};

}  // namespace board
