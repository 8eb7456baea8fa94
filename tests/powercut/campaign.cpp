#include "powercut/campaign.hpp"

#include "support/board_rack.hpp"
#include "support/suit_factory.hpp"

namespace powercut {
namespace {

using ota::CommandKind;
using ota::CutKind;
using ota::State;
using test::Buffer;

constexpr uint8_t kBoards = 2;
constexpr uint32_t kImageSize = 10 * 1024;
constexpr std::array<CutKind, 5> kKinds = {CutKind::kClean, CutKind::kTornBytes, CutKind::kTornBits,
                                           CutKind::kHalfErased, CutKind::kUnstable};
constexpr size_t kMaxFindings = 10;
constexpr ota::Millis kLongest = 600000;

Buffer board_image(const char* version, uint8_t seed) {
    Buffer out(kImageSize);
    for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<uint8_t>(i * 7 + i / 251 + seed);
    std::fill_n(out.begin() + 48, 32, uint8_t{0});
    std::copy_n(version, std::char_traits<char>::length(version), out.begin() + 48);
    return out;
}

test::DeviceLayout controllers_layout() {
    test::DeviceLayout out;
    out.stage_size = 0x10000;
    return out;
}

// A controller that has staged the package, two boards, and a bus.
class Site {
  public:
    Site() : device_(controllers_layout()), rack_(device_.clock, kBoards) {
        device_.put_image(0, test::make_signed_of_size("1.0.0", 32 * 1024, 1));
        device_.settings.suit.vendor.fill(0x11);
        device_.settings.suit.class_id.fill(0x22);
        device_.settings.suit.module_class.fill(0x33);
        device_.source.package = test::make_package(test::boards_package(new_, kBoards, 100));
        for (auto& seat : rack_.seats) seat->board.put_image(old_);
        controller_starts();
        stage();
        device_.shut_down();
        controllers_flash_ = device_.memory();
        for (size_t i = 0; i < kBoards; ++i) boards_flash_[i] = rack_.seats[i]->memory;
    }

    // Everything as it was before the first board was touched.
    void restore() {
        device_.load(controllers_flash_);
        for (size_t i = 0; i < kBoards; ++i) {
            test::Seat& seat = *rack_.seats[i];
            std::copy(boards_flash_[i].begin(), boards_flash_[i].end(), seat.memory.begin());
            seat.flash.forget_instability();
            seat.flash.power_on();
            seat.board.reset();
        }
        controller_starts();
    }
    void controller_starts() {
        rack_.restart_controller();
        device_.modules = &rack_.side->component;
        (void)device_.boot();
        rack_.run_for(2000);  // a board is up a little later
    }
    // To READY_TO_APPLY; what lies in the stage is not fetched again.
    bool stage() {
        (void)device_.post(CommandKind::kStartUpdate);
        (void)turn_until([&] {
            return device_.mailbox.queue.empty() &&
                   (device_.state() == State::kReadyToApply || device_.state() == State::kFailed);
        });
        return !device_.flash.is_off() && device_.state() == State::kReadyToApply;
    }
    // Until it ended, or power is lost.
    void install() {
        if (!stage()) return;
        (void)device_.post(CommandKind::kApply);
        (void)turn_until([&] {
            const bool over = device_.state() == State::kIdle || device_.state() == State::kFailed;
            return over && device_.mailbox.queue.empty();
        });
    }
    bool is_done() {
        for (uint8_t number = 1; number <= kBoards; ++number) {
            const auto& board = rack_.board(number);
            if (board.is_on_trial() || board.running_image() != new_) return false;
        }
        return device_.manager().snapshot().attempt.outcome == ota::Outcome::kConfirmed;
    }
    // Each runs one image or the other, whole.
    bool all_boot() {
        for (uint8_t number = 1; number <= kBoards; ++number) {
            const Buffer running = rack_.board(number).running_image();
            if (running != old_ && running != new_) return false;
        }
        return true;
    }
    uint32_t misuses() const {
        uint32_t out = device_.flash.misuses();
        for (const auto& seat : rack_.seats) out += seat->flash.misuses();
        return out;
    }
    // A board that has lost power gets it back at once, and starts anew.
    void revive_boards() {
        for (auto& seat : rack_.seats) {
            if (!seat->flash.is_off()) continue;
            seat->flash.power_on();
            seat->board.reset();
        }
    }
    void lose_everything() {
        for (auto& seat : rack_.seats) {
            seat->flash.power_on();
            seat->board.reset();
        }
        restart();
    }
    void restart() {
        device_.flash.power_on();
        controller_starts();
    }
    bool is_board_off() const {
        return std::any_of(rack_.seats.begin(), rack_.seats.end(),
                           [](const auto& seat) { return seat->flash.is_off(); });
    }
    ota::FlashModel& flash_of(const Campaign& campaign) {
        return campaign.loses == Campaign::Loses::kController ? device_.flash
                                                              : rack_.seats[1]->flash;
    }
    bool is_controller_off() const { return device_.flash.is_off(); }
    // Who decides what becomes of a board that lost power: back at once, or the whole site stops.
    bool stops_with_board = false;

  private:
    template <typename Done>
    bool turn_until(Done done) {
        const ota::Millis end = device_.clock.now() + kLongest;
        while (device_.clock.now() < end && !device_.flash.is_off()) {
            if (done()) return true;
            (void)device_.manager().step(0);
            rack_.run_for(5);
            if (!is_board_off()) continue;
            if (stops_with_board) return false;
            revive_boards();
        }
        return false;
    }

    const Buffer old_ = board_image("1.0.0", 1);
    const Buffer new_ = board_image("2.0.0", 2);
    test::Device device_;
    test::BoardRack rack_;
    Buffer controllers_flash_;
    std::array<Buffer, kBoards> boards_flash_;
};

class CampaignSweep {
  public:
    CampaignSweep(const Campaign& campaign, uint32_t seed) : campaign_(campaign), seed_(seed) {
        site_.stops_with_board = campaign.loses == Campaign::Loses::kEverything;
    }

    Tally go(int64_t only_cut, int only_kind) {
        site_.restore();
        const uint64_t before = site_.flash_of(campaign_).operations();
        site_.install();
        if (!site_.is_done()) find("the uncut campaign does not end as it should", 0, 0);
        const uint64_t operations = site_.flash_of(campaign_).operations() - before;
        for (uint64_t k = 1; k <= operations; ++k) {
            for (size_t kind = 0; kind < kKinds.size(); ++kind) {
                const bool wanted = (only_cut < 0 || only_cut == static_cast<int64_t>(k)) &&
                                    (only_kind < 0 || only_kind == static_cast<int>(kind));
                if (wanted) cut(k, kind);
            }
        }
        return tally_;
    }

  private:
    void cut(uint64_t k, size_t kind) {
        ++tally_.cuts;
        site_.restore();
        const uint32_t misuses = site_.misuses();
        site_.flash_of(campaign_).cut_at(k, kKinds[kind], seed_ + static_cast<uint32_t>(k));
        site_.install();
        if (site_.is_board_off()) site_.lose_everything();
        if (site_.is_controller_off()) site_.restart();
        if (!site_.all_boot()) {
            ++tally_.bricked;
            find("a board runs neither image", k, kind);
        }
        for (int attempt = 0; attempt < 2 && !site_.is_done(); ++attempt) site_.install();
        if (!site_.is_done()) {
            ++tally_.stuck;
            find("the boards do not all run the image after two more attempts", k, kind);
        }
        if (site_.misuses() != misuses) find("flash was misused", k, kind);
    }
    void find(const std::string& what, uint64_t k, size_t kind) {
        ++tally_.broken;
        if (tally_.findings.size() == kMaxFindings) return;
        tally_.findings.push_back(what + ": --scenario " + campaign_.name + " --cut " +
                                  std::to_string(k) + " --kind " + std::to_string(kind) +
                                  " --seed " + std::to_string(seed_));
    }

    const Campaign& campaign_;
    const uint32_t seed_;
    Site site_;
    Tally tally_;
};

}  // namespace

Tally run(const Campaign& campaign, uint32_t seed, int64_t only_cut, int only_kind) {
    return CampaignSweep(campaign, seed).go(only_cut, only_kind);
}

}  // namespace powercut
