// What the engine and the link hand each other about module boards: one order at a time, the bytes
// of its image, and the proof that unlocks a board.
#pragma once

#include <atomic>

#include "ports/image.hpp"

namespace ota {

struct BoardOrder {
    enum class Kind : uint8_t { kVersion, kMatch, kInstall };
    Kind kind = Kind::kVersion;
    uint8_t number = 0;
    uint8_t next = 0;  // the board that gets the same image afterwards; 0: none
    Digest digest{};
    uint32_t size = 0;
};

struct BoardAnswer {
    Status status;
    bool holds = false;   // kMatch
    VersionText version;  // kVersion
};

// A piece of the image on its way, in the request that carries it: the link says which, the engine
// fills it in.
class ImageBlock {
  public:
    static constexpr size_t kHead = 2;  // of the request: service and counter
    static constexpr size_t kSize = 2048;

    // ---- link context
    // Empty: not there yet, ask again. The bytes stay until another piece is asked for.
    MutableBytes get(uint32_t offset, uint32_t size) {
        const State state = state_.load(std::memory_order_acquire);
        if (state == State::kWanted) return {};
        if (state == State::kFilled && offset_ == offset && size_ == size) {
            return MutableBytes(request_).first(kHead + size);
        }
        offset_ = offset;
        size_ = size;
        state_.store(State::kWanted, std::memory_order_release);
        return {};
    }
    // What it holds is of an image that is no longer spoken of.
    void forget() {
        if (state_.load(std::memory_order_acquire) == State::kFilled) state_ = State::kIdle;
    }

    // ---- engine context
    bool is_wanted() const { return state_.load(std::memory_order_acquire) == State::kWanted; }
    uint32_t offset() const { return offset_; }
    MutableBytes room() { return MutableBytes(request_).subspan(kHead, size_); }
    void filled() { state_.store(State::kFilled, std::memory_order_release); }

  private:
    enum class State : uint8_t { kIdle, kWanted, kFilled };
    std::atomic<State> state_{State::kIdle};
    uint32_t offset_ = 0;
    uint32_t size_ = 0;
    std::array<uint8_t, kHead + kSize> request_{};
};

// The answer to a board's seed: the engine alone may use the crypto library.
class BoardKey {
  public:
    static constexpr size_t kSeed = 16;
    static constexpr size_t kSize = 16;
    static constexpr size_t kLongestSerial = 16;
    struct Question {
        std::array<uint8_t, kSeed> seed{};
        FixedString<kLongestSerial> serial;
    };

    // ---- link context
    // False: an older question is still with the engine.
    bool ask(const Question& question) {
        if (state_.load(std::memory_order_acquire) == State::kWanted) return false;
        question_ = question;
        state_.store(State::kWanted, std::memory_order_release);
        return true;
    }
    bool is_ready() const { return state_.load(std::memory_order_acquire) == State::kReady; }
    // Empty: there is no key.
    Bytes take() const { return Bytes(key_).first(size_); }

    // ---- engine context
    const Question* wanted() const {
        return state_.load(std::memory_order_acquire) == State::kWanted ? &question_ : nullptr;
    }
    void answer(Bytes key) {
        size_ = std::min(key.size(), key_.size());
        std::copy_n(key.begin(), size_, key_.begin());
        state_.store(State::kReady, std::memory_order_release);
    }

  private:
    enum class State : uint8_t { kIdle, kWanted, kReady };
    std::atomic<State> state_{State::kIdle};
    Question question_;
    std::array<uint8_t, kSize> key_{};
    size_t size_ = 0;
};

class ModuleExchange {
  public:
    // ---- engine context
    // An order that was given up is over when the link has let go of its board.
    bool is_free() const {
        return answered_.load(std::memory_order_acquire) == asked_.load(std::memory_order_relaxed);
    }
    void ask(const BoardOrder& order) {
        order_ = order;
        let_go_before_ = let_go_.load(std::memory_order_relaxed);
        asked_.fetch_add(1, std::memory_order_release);
    }
    const BoardAnswer& answer() const { return answer_; }
    // Of the order that is open, and of what was begun ahead.
    void let_go() { let_go_.fetch_add(1, std::memory_order_release); }

    // ---- link context
    // Null: there is none.
    const BoardOrder* order() const {
        const bool open =
            asked_.load(std::memory_order_acquire) != answered_.load(std::memory_order_relaxed);
        return open ? &order_ : nullptr;
    }
    // Was let_go() called since that order was given?
    bool is_given_up() const { return let_go_.load(std::memory_order_acquire) != let_go_before_; }
    // How often it was called: what was begun before the last time is not wanted any more.
    uint32_t let_go_count() const { return let_go_.load(std::memory_order_acquire); }
    void answer(const BoardAnswer& answer) {
        answer_ = answer;
        answered_.fetch_add(1, std::memory_order_release);
    }

    // One is on the bus while the next is filled in. The image is that of the order.
    std::array<ImageBlock, 2> blocks;
    std::array<BoardKey, 2> keys;  // of the board in hand, and of the next

  private:
    std::atomic<uint32_t> asked_{0};
    std::atomic<uint32_t> answered_{0};
    std::atomic<uint32_t> let_go_{0};
    BoardOrder order_;
    uint32_t let_go_before_ = 0;  // of the order
    BoardAnswer answer_;
};

}  // namespace ota
