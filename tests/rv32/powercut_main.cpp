// A reduced power-cut suite on the device's instruction set: an update of each kind of package, a
// revert, and two cuts of one update. Prints one line a scenario; exit code 0 only without
// findings.
#include <psa/crypto.h>

#include <cstdio>

#include "powercut/driver.hpp"

int main() {
    using powercut::Scenario;
    using powercut::Temper;
    if (psa_crypto_init() != PSA_SUCCESS) return 2;
    const test::DeviceLayout sector;
    test::DeviceLayout block;
    block.policy = ota::ErasePolicy::kBlockAhead;
    constexpr uint32_t kSmall = 16 * 1024;
    const Scenario scenarios[] = {
        {.name = "confirm", .layout = sector, .image_size = kSmall},
        {.name = "revert", .layout = block, .image_size = kSmall, .temper = Temper::kUnhealthy},
        {.name = "suit+cfg", .layout = sector, .image_size = kSmall, .suit = true, .config = true},
        {.name = "suit+enc",
         .layout = block,
         .image_size = kSmall,
         .suit = true,
         .encrypted = true},
        {.name = "second-cut", .layout = sector, .image_size = kSmall, .second_cut_every = 3},
    };
    unsigned long cuts = 0;
    unsigned long broken = 0;
    for (const Scenario& scenario : scenarios) {
        const powercut::Tally tally = powercut::run(scenario, 1, -1, -1);
        std::printf("%-12s %lu cuts, broken %lu\n", scenario.name.c_str(),
                    static_cast<unsigned long>(tally.cuts),
                    static_cast<unsigned long>(tally.broken));
        for (const std::string& finding : tally.findings) std::printf("  %s\n", finding.c_str());
        cuts += static_cast<unsigned long>(tally.cuts);
        broken += static_cast<unsigned long>(tally.broken);
    }
    std::printf("cut points %lu, broken %lu\n", cuts, broken);
    return broken == 0 && cuts != 0 ? 0 : 1;
}
