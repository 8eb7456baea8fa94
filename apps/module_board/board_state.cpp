#include "board_state.hpp"

#include <cstring>

#include "base/crc32.hpp"
#include "ports/flash_layout.hpp"

namespace board {
namespace {

constexpr uint32_t kMagic = 0x42445331;
constexpr uint32_t kSector = ota::layout::kSectorSize;
constexpr uint32_t kEnd = 2 * kSector;

struct Record {
    uint32_t magic = kMagic;
    uint32_t sequence = 0;
    State state;
    uint32_t crc = 0;
};
static_assert(sizeof(Record) <= ota::layout::kPageSize);
using Page = std::array<uint8_t, ota::layout::kPageSize>;

uint32_t crc_of(const Page& page) {
    return ota::crc32(0, ota::Bytes(page).first(offsetof(Record, crc)));
}

}  // namespace

State StateLog::load() {
    State latest;
    sequence_ = next_ = 0;
    for (uint32_t at = 0; at < kEnd; at += ota::layout::kPageSize) {
        Page page{};
        if (!flash_.read(at, page).ok()) continue;
        Record record;
        std::memcpy(static_cast<void*>(&record), page.data(), sizeof record);
        const bool is_whole = record.magic == kMagic && record.crc == crc_of(page);
        if (!is_whole || record.sequence <= sequence_) continue;
        latest = record.state;
        sequence_ = record.sequence;
        next_ = (at + ota::layout::kPageSize) % kEnd;
    }
    // A page that power was lost in is passed by.
    while (next_ % kSector != 0 && !*flash_.is_erased(next_, ota::layout::kPageSize)) {
        next_ = (next_ + ota::layout::kPageSize) % kEnd;
    }
    return latest;
}

bool StateLog::save(const State& state) {
    // What is erased is the older half.
    if (next_ % kSector == 0 && !flash_.erase(next_, kSector).ok()) return false;
    Record record;
    record.sequence = ++sequence_;
    record.state = state;
    Page page{};
    std::memcpy(page.data(), &record, sizeof record);
    record.crc = crc_of(page);
    std::memcpy(page.data(), &record, sizeof record);
    if (!flash_.program(next_, page).ok()) return false;
    next_ = (next_ + ota::layout::kPageSize) % kEnd;
    return true;
}

}  // namespace board
