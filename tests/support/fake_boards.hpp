// Module boards in memory; what they hold outlives the controller's power.
#pragma once

#include "ports/module_boards.hpp"
#include "support/image_factory.hpp"

namespace test {

class FakeBoards final : public ota::ModuleBoards {
  public:
    struct Board {
        Buffer holds;
        std::string version = "1.0.0";
        uint32_t slow = 2;     // so many calls until an answer
        bool dead = false;     // never answers
        ota::Status refusal;   // of every installation
        bool forgets = false;  // takes an image, and goes back to its old one
    };
    std::vector<Board> boards;
    std::string next_version = "2.0.0";  // what an installed image says of itself
    uint32_t installations = 0;
    std::vector<uint8_t> next;  // told with each of them
    uint32_t aborts = 0;

    bool has(uint8_t number) const override { return number >= 1 && number <= boards.size(); }
    ota::Status version(uint8_t number, ota::VersionText& out) override {
        OTA_TRY(answer(number));
        out.assign(boards[number - 1U].version);
        return {};
    }
    ota::Result<bool> match(uint8_t number, const ota::Digest& digest, uint64_t size) override {
        OTA_TRY(answer(number));
        const Buffer& holds = boards[number - 1U].holds;
        const Buffer own = sha256(holds);
        return holds.size() == size && std::equal(own.begin(), own.end(), digest.begin());
    }
    ota::Status install(uint8_t number, uint8_t following, ota::ImageReader& image,
                        const ota::Digest& digest, uint64_t size) override {
        Board& board = boards[number - 1U];
        OTA_TRY(board.refusal);
        if (waited_ == 0) board.holds = {0xBA, 0xD0};  // half of it
        OTA_TRY(answer(number));
        ++installations;
        next.push_back(following);
        Buffer bytes(static_cast<size_t>(size));
        OTA_TRY(image.read_at(0, bytes));
        const Buffer own = sha256(bytes);
        if (!std::equal(own.begin(), own.end(), digest.begin())) {
            return {ota::Code::kUntrusted, ota::Origin::kModules, ota::Detail::kBoardFailed};
        }
        if (board.forgets) return {};
        board.holds = bytes;
        board.version = next_version;
        return {};
    }
    void abort() override {
        ++aborts;
        waited_ = 0;
    }

  private:
    ota::Status answer(uint8_t number) {
        const Board& board = boards[number - 1U];
        if (board.dead || waited_ < board.slow) {
            ++waited_;
            return {ota::Code::kTryAgain, ota::Origin::kModules};
        }
        waited_ = 0;
        return {};
    }
    uint32_t waited_ = 0;
};

}  // namespace test
