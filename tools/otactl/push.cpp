#include "push.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "progress.hpp"
#include "show_peer.hpp"
#include "wire/sha256.hpp"

namespace otactl {
namespace {

using Clock = std::chrono::steady_clock;
using ota::State;

volatile std::sig_atomic_t interrupted = 0;

void sleep_ms(unsigned time) {
    std::this_thread::sleep_for(std::chrono::milliseconds(time));
}

// A package that needs no restart ends in IDLE, and is good.
bool has_failed(const PeerStatus& now) {
    return now.state == State::kFailed || now.state == State::kAborted ||
           (now.state == State::kIdle && now.error != 0);
}

// One transfer, with its retries.
class Push {
  public:
    Push(PushPeer& peer, const PushOptions& options)
        : peer_(peer), options_(options), package_(read_file(options.package)) {
        if (package_.empty()) throw Failure(Exit::kMalformed, options.package + ": empty");
        name_.size = static_cast<uint32_t>(package_.size());
        require(ota::sha256(package_, name_.digest), "SHA-256");
    }

    void run() {
        before_ = patiently([&] { return peer_.identify(); });
        say(fmt::format("device    {} {}, firmware {}", before_.hardware, before_.serial,
                        before_.version));
        patiently([&] { open(); });
        Progress progress(name_.size, options_.quiet || options_.json);
        patiently([&] { transfer(progress); });
        patiently([&] { peer_.finish(); });
        seconds_ = progress.seconds();
        rate_ = progress.rate();
        say(fmt::format("verified  {} bytes in {:.1f} s, {:.1f} KiB/s, {} blocks repeated",
                        name_.size, seconds_, rate_ / 1024, repeats_));
        if (options_.apply) apply();
        report();
    }

  private:
    // A line that is gone for a while is no reason to give up.
    template <typename Action>
    auto patiently(Action action) -> decltype(action()) {
        moved_at_ = Clock::now();
        while (true) {
            try {
                stop_if_interrupted();
                if (is_lost_) recover();
                return action();
            } catch (const PeerLost& lost) {
                is_lost_ = true;
                if (is_stuck()) {
                    throw Failure(Exit::kPeer,
                                  fmt::format("{}; the device was not there for {} s. What it has "
                                              "stays: run the same command again",
                                              lost.what(), options_.patience));
                }
                ++repeats_;
                sleep_ms(500);
            }
        }
    }

    void recover() {
        peer_.reconnect();
        (void)peer_.status();
        is_lost_ = false;
    }

    // Nothing has moved for longer than the operator's patience.
    bool is_stuck() const {
        return Clock::now() - moved_at_ > std::chrono::seconds(options_.patience);
    }

    void open() {
        peer_.unlock(options_.access);
        peer_.open(name_, options_.open);
    }

    void transfer(Progress& progress) {
        uint32_t at = peer_.status().next;
        if (at > 0 && at < name_.size) say(fmt::format("goes on   at byte {}", at));
        uint32_t blocks = 0;
        while (at < name_.size) {
            stop_if_interrupted();
            const size_t size = std::min<size_t>(peer_.block_size(), name_.size - at);
            switch (peer_.write(at, package_.data() + at, size)) {
                case PushPeer::Written::kTaken:
                    at += static_cast<uint32_t>(size);
                    break;
                case PushPeer::Written::kLater:
                    wait_for_room();
                    continue;
                case PushPeer::Written::kElsewhere:
                    at = go_elsewhere(at);
                    continue;
            }
            moved_at_ = Clock::now();
            progress.at(at);
            // The device looks at the start, and then may want what lies behind what it has.
            if (at <= kHead || ++blocks % kLookEvery == 0 || at == name_.size) at = follow();
        }
    }

    // Where the device is; it may want something else than what comes next.
    uint32_t follow() {
        const PeerStatus now = peer_.status();
        if (has_failed(now)) {
            throw Failure(exit_of(static_cast<ota::Detail>(now.detail)),
                          fmt::format("the device refused the package: {}", detail_of(now)));
        }
        return now.next;
    }

    uint32_t go_elsewhere(uint32_t at) {
        const uint32_t next = follow();
        if (next != at) return next;
        if (is_stuck()) {
            throw Failure(Exit::kPeer, fmt::format("the device takes nothing at byte {}", at));
        }
        sleep_ms(100);
        return next;
    }

    void wait_for_room() {
        sleep_ms(peer_.pause_ms());
        if (++waits_ % kLookEvery != 0) return;
        const PeerStatus now = peer_.status();
        if (now.interlock != 0 && now.interlock != told_interlock_) {
            say("waiting   for " + interlock_text(now.interlock));
        }
        told_interlock_ = now.interlock;
    }

    // A device that restarts takes the line with it, perhaps before it has said so.
    void order_apply() {
        try {
            peer_.apply();
        } catch (const PeerLost&) {
            return;
        }
    }

    void apply() {
        order_apply();
        const bool done = patiently([&] { return peer_.status().state == State::kIdle; });
        if (done && patiently([&] { return peer_.identify().version; }) == before_.version) {
            return say("applied   without a restart");
        }
        say("applied   the device restarts");
        // After a restart it is on trial; the new version proves that it runs.
        const auto end = Clock::now() + std::chrono::seconds(options_.patience);
        while (Clock::now() < end) {
            stop_if_interrupted();
            sleep_ms(300);
            try {
                peer_.reconnect();
                after_ = peer_.identify().version;
                const PeerStatus now = peer_.status();
                if (now.state == State::kReadyToApply) order_apply();
                if (now.interlock != told_interlock_) {
                    told_interlock_ = now.interlock;
                    if (now.interlock != 0) say("waiting   for " + interlock_text(now.interlock));
                }
                if (after_ != before_.version) return say("runs      " + after_);
            } catch (const PeerLost&) {
                continue;
            }
        }
        throw Failure(Exit::kPeer, after_.empty() ? "the device did not come back after the restart"
                                                  : "the device runs " + after_ +
                                                        " still: otactl identify says why");
    }

    void say(const std::string& text) const {
        if (!options_.json && !options_.quiet) fmt::print("{}\n", text);
        std::fflush(stdout);
    }

    void report() const {
        if (!options_.json) return;
        const nlohmann::ordered_json out = {
            {"package", options_.package}, {"bytes", name_.size},
            {"seconds", seconds_},         {"bytes_per_second", rate_},
            {"repeats", repeats_},         {"version_before", before_.version},
            {"version_after", after_},     {"serial", before_.serial}};
        fmt::print("{}\n", out.dump(2));
    }

    static constexpr uint32_t kHead = 16384;
    static constexpr uint32_t kLookEvery = 32;

    PushPeer& peer_;
    const PushOptions& options_;
    Buffer package_;
    PackageName name_;
    PeerIdentity before_;
    std::string after_;
    bool is_lost_ = false;
    Clock::time_point moved_at_ = Clock::now();
    unsigned repeats_ = 0;
    unsigned waits_ = 0;
    uint16_t told_interlock_ = 0;
    double seconds_ = 0;
    double rate_ = 0;
};

}  // namespace

void stop_if_interrupted() {
    if (interrupted == 0) return;
    throw Failure(Exit::kPeer,
                  "interrupted. What the device has stays: run the same command to go on");
}

void push(PushPeer& peer, const PushOptions& options) {
    const auto before = std::signal(SIGINT, [](int) { interrupted = 1; });
    Push(peer, options).run();
    (void)std::signal(SIGINT, before);
}

}  // namespace otactl
