#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "image.hpp"

namespace rom {

inline constexpr int kFactory = -1;
inline constexpr int kTestApp = -2;

struct Slot {
    uint32_t offset = 0;
    uint32_t size = 0;
};

// What the bootloader reads out of the partition table.
struct Partitions {
    std::optional<Slot> otadata;
    std::optional<Slot> factory;
    std::optional<Slot> test_app;
    std::array<std::optional<Slot>, 16> slots;  // by subtype: ota_0 …
    int slot_count = 0;                         // all of them; indexes are taken modulo this
};
std::optional<Partitions> read_partitions(RomFlash& flash);

struct Boot {
    int slot = kFactory;  // ota_n, kFactory or kTestApp
    Slot place;
    Image image;
};

// ESP-IDF's bootloader_utility.c with rollback enabled: turns PENDING_VERIFY into ABORTED and NEW
// into PENDING_VERIFY by rewriting entries in place, then loads the first image that verifies.
// Nothing if no image does, if the table is unusable, or if power was lost (the chip then resets).
// log gets a line for each decision.
std::optional<Boot> boot(RomFlash& flash, std::vector<std::string>* log = nullptr);

}  // namespace rom
