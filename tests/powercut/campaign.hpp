// Module boards behind the controller: power is lost in each flash operation of a board, on the
// board alone and everywhere at once, and in each of the controller's while boards are installed.
#pragma once

#include "powercut/driver.hpp"

namespace powercut {

struct Campaign {
    enum class Loses { kBoard, kEverything, kController };
    const char* name;
    Loses loses;
};
inline constexpr std::array<Campaign, 3> kCampaigns = {
    {{"boards-board-loses-power", Campaign::Loses::kBoard},
     {"boards-all-lose-power", Campaign::Loses::kEverything},
     {"boards-controller-loses-power", Campaign::Loses::kController}}};

// As run() of a scenario.
Tally run(const Campaign& campaign, uint32_t seed, int64_t only_cut, int only_kind);

}  // namespace powercut
