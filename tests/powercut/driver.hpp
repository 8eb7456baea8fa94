#pragma once

#include "powercut/scenarios.hpp"

namespace powercut {

struct Tally {
    uint64_t cuts = 0;
    uint64_t bricked = 0;               // no image boots
    uint64_t stuck = 0;                 // the update did not end in one more attempt
    uint64_t unexplained = 0;           // the report does not say why
    uint64_t broken = 0;                // another invariant does not hold
    std::vector<std::string> findings;  // the first few, with what reproduces them
};

// Loses power in each flash operation of the scenario's update, in each way, and follows the device
// through its recovery. only_cut and only_kind (≥ 0) reproduce one case.
Tally run(const Scenario& scenario, uint32_t seed, int64_t only_cut, int only_kind);

}  // namespace powercut
