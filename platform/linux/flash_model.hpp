#pragma once

#include <vector>

#include "ports/clock.hpp"
#include "ports/flash.hpp"
#include "ports/flash_layout.hpp"

namespace ota {

// How an operation looks when power is lost in it.
enum class CutKind : uint8_t {
    kClean,       // it has not begun
    kTornBytes,   // program: a prefix of the bytes; erase: a prefix of the sectors' bytes
    kTornBits,    // program: a random subset of the bits; erase: a random subset is set
    kHalfErased,  // erase: half of the bits of every byte are set; program: like kTornBytes
    kUnstable,    // the bits that were about to change read otherwise each time, until erased
};

struct FlashOperation {
    enum class Kind : uint8_t { kProgram, kErase };
    Kind kind = Kind::kProgram;
    uint32_t address = 0;
    uint32_t length = 0;
    Bytes bytes;          // with kProgram: the cells
    uint32_t micros = 0;  // typical duration on the device
};

class FlashObserver {
  public:
    // Before the operation takes effect. Not called for one that power loss cut.
    virtual void on_operation(const FlashOperation& operation) = 0;
    virtual void on_power_lost() = 0;

  protected:
    ~FlashObserver() = default;
};

// A NOR flash that is stricter than the real one: programming a cleared bit to 1, unaligned or
// out-of-range access is an error and counted as misuse. One page program or one erase is one
// operation; power can be cut at any of them and stays off until power_on().
class FlashModel final : public Flash {
  public:
    FlashModel(MutableBytes memory, uint32_t write_unit = 1);

    FlashGeometry geometry() const override;
    Status read(uint32_t address, MutableBytes out) override;
    Result<bool> is_erased(uint32_t address, uint32_t length) override;
    Status program(uint32_t address, Bytes bytes) override;
    Status erase(uint32_t address, uint32_t length) override;

    // From here to there the cells hold what a key has made of the bytes, as with flash encryption:
    // erased ones read as anything.
    void encrypt(uint32_t from, uint32_t to);
    // Bytes that were there before the device was made.
    void place(uint32_t address, Bytes bytes);
    // Bytes to cells, and cells to bytes.
    void apply_key(uint32_t address, MutableBytes bytes) const;
    // What read() gives while nothing fails, also without power.
    void peek(uint32_t address, MutableBytes out) const;

    // The lowest layer's refusal to write the running slot.
    void protect(uint32_t address, uint32_t length);

    // Loses power in the operation with this number (1 = the next one); 0 = never.
    void cut_at(uint64_t operation, CutKind kind, uint32_t seed);
    bool is_off() const { return off_; }
    void power_on();
    // What an earlier cut left unstable reads steadily from now on: another chip's memory is looked
    // at.
    void forget_instability() { unstable_.clear(); }

    // From now on, count operations fail with an error after first others succeeded.
    void fail_operations(uint64_t first, uint64_t count);
    // The same for reads, which are counted on their own.
    void fail_reads(uint64_t first, uint64_t count);
    uint64_t reads() const { return reads_; }

    void set_observer(FlashObserver* observer) { observer_ = observer; }
    uint64_t operations() const { return operations_; }
    uint64_t erases() const { return erases_; }
    uint32_t misuses() const { return misuses_; }

    // Typical figures of GD25Q128E / W25Q128JV class parts.
    static constexpr uint32_t kPageMicros = 500;
    static constexpr uint32_t kSectorMicros = 45000;
    static constexpr uint32_t kBlockMicros = 250000;

  private:
    enum class Fate : uint8_t { kWorks, kCut, kFails };

    Status read_cells(uint32_t address, MutableBytes out);
    Fate next_fate();
    bool inside(uint32_t address, size_t length) const;
    bool is_protected(uint32_t address, size_t length) const;
    Status misuse(Code code, Detail detail);
    Status program_page(uint32_t address, Bytes bytes);
    Status erase_unit(uint32_t address, uint32_t length);
    bool is_unstable(uint32_t address, size_t length) const;
    void blur(uint32_t address, MutableBytes bytes);
    void tear_program(uint32_t address, MutableBytes target, Bytes bytes);
    void tear_erase(uint32_t address, MutableBytes target);
    uint32_t random();

    MutableBytes memory_;
    uint32_t write_unit_;
    uint32_t encrypt_from_ = 0;
    uint32_t encrypt_to_ = 0;
    uint32_t protect_from_ = 0;
    uint32_t protect_to_ = 0;
    FlashObserver* observer_ = nullptr;
    uint64_t operations_ = 0;
    uint64_t erases_ = 0;
    uint32_t misuses_ = 0;
    uint64_t cut_at_ = 0;
    uint64_t fail_from_ = 0;
    uint64_t fail_to_ = 0;
    uint64_t reads_ = 0;
    uint32_t unstable_from_ = 0;
    std::vector<uint8_t> unstable_;  // the bits from there on that change from read to read
    uint64_t fail_reads_from_ = 0;
    uint64_t fail_reads_to_ = 0;
    CutKind cut_kind_ = CutKind::kClean;
    uint32_t random_state_ = 1;
    bool off_ = false;
};

}  // namespace ota
