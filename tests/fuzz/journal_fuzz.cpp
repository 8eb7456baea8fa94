// Any bytes as a journal partition: it opens, takes a record, and gives it back.
#include <cstdlib>

#include "install/journal.hpp"
#include "linux/flash_model.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static std::array<uint8_t, 4 * ota::layout::kSectorSize> memory;
    memory.fill(0xFF);
    std::copy_n(data, std::min(size, memory.size()), memory.begin());
    ota::FlashModel flash(memory);
    ota::Journal journal(flash);
    if (!journal.open().ok()) std::abort();
    ota::UpdateRecord record;
    record.stage = ota::UpdateStage::kArmed;
    record.size = 4711;
    // Sectors of a newer format may leave no room; then nothing changes.
    if (!journal.save(record).ok()) return 0;
    ota::Journal again(flash);
    if (!again.open().ok() || again.update().size != 4711) std::abort();
    if (flash.misuses() != 0) std::abort();
    return 0;
}
