// Bytes that a peer pushes, on their way from the link's context to the engine's.
#pragma once

#include <atomic>

#include "base/build_options.hpp"
#include "base/bytes.hpp"

namespace ota {

// The package that a peer announced. Not trusted.
struct PushOffer {
    uint32_t size = 0;  // bytes
    Digest digest{};    // SHA-256 of all of it; zero: the peer does not say
    bool operator==(const PushOffer&) const = default;
};

// A ring of one writer, the link, and one reader, the engine; no lock. What the engine may still
// want again is kept: the start of a package is looked at before it is staged. Where it wants bytes
// that are not there, the link goes to that offset and the peer follows.
class PushWindow {
  public:
    static constexpr uint32_t kCapacity = build::kPushWindow;

    // ---------------------------------------------------------------- link context

    enum class Taken : uint8_t {
        kWhole,
        kDuplicate,  // it had come before
        kGap,        // it begins behind next_offset()
        kBeyond,     // it ends behind the package
        kFull,       // later: the engine has not read yet, or has not taken the offer
        kClosed,     // nothing is open
    };

    // False while another package is open.
    bool open(const PushOffer& offer);
    // Nothing more comes. Only after the engine's update has ended.
    void close() { phase_.store(Phase::kClosed, std::memory_order_release); }
    // Takes an offer back. False: the engine has taken it.
    bool withdraw() {
        Phase offered = Phase::kOffered;
        return phase_.compare_exchange_strong(offered, Phase::kClosed);
    }
    bool is_open() const { return phase_.load(std::memory_order_acquire) != Phase::kClosed; }
    bool is_taken() const { return phase_.load(std::memory_order_acquire) == Phase::kTaken; }

    // All of bytes or nothing; of what overlaps, the new end alone is taken.
    Taken write(uint32_t offset, Bytes bytes);
    // The byte that is wanted next: the only acknowledgement. It may go back.
    uint32_t next_offset();
    // Has the engine read everything that came?
    bool is_drained() const {
        return position_.load(std::memory_order_acquire) == head_.load(std::memory_order_relaxed);
    }

    // ---------------------------------------------------------------- engine context

    // True once for each offer.
    bool take(PushOffer& out);
    // The next byte to read. What comes before it is let go.
    void seek(uint32_t offset);
    // May be nothing. keep: what is read may be wanted again, by a seek.
    size_t read(MutableBytes out, bool keep);
    uint32_t position() const { return position_.load(std::memory_order_relaxed); }

  private:
    enum class Phase : uint32_t { kClosed, kOffered, kTaken };  // a word: exchanged on RV32
    static_assert((kCapacity & (kCapacity - 1)) == 0, "offsets wrap at 2^32");

    // Follows the engine to where it wants to go on.
    void follow();
    bool is_followed() const {
        return done_.load(std::memory_order_acquire) == asked_.load(std::memory_order_relaxed);
    }

    std::array<uint8_t, kCapacity> ring_{};
    PushOffer offer_;
    std::atomic<Phase> phase_{Phase::kClosed};
    std::atomic<uint32_t> head_{0};  // the link's: behind the last byte
    std::atomic<uint32_t> done_{0};  // … and the latest move of the engine that it has followed
    std::atomic<uint32_t> base_{0};  // the engine's: the first byte that is kept
    std::atomic<uint32_t> wanted_{0};
    std::atomic<uint32_t> asked_{0};
    std::atomic<uint32_t> position_{0};
};

}  // namespace ota
