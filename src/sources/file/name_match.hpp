// File names as users write them against names as FAT shows them.
#pragma once

#include <string_view>

namespace ota {

// Does have, a name in a directory, stand for wanted? Case is ignored (FAT does), wanted may hold
// * and ?, and have may be the 8.3 alias of wanted (BESS_U~1.BIN for bess_update.bin, Microsoft FAT
// specification 1.03, "Basis-Name Generation").
bool name_matches(std::string_view wanted, std::string_view have);

// Orders names with runs of digits compared as numbers: bess-1.10.0.bin follows bess-1.9.0.bin.
bool natural_less(std::string_view a, std::string_view b);

}  // namespace ota
