#include "powercut/scenarios.hpp"

namespace powercut {

std::vector<Scenario> all_scenarios() {
    using ota::ErasePolicy;
    const test::DeviceLayout sector;
    test::DeviceLayout block;
    block.policy = ErasePolicy::kBlockAhead;
    test::DeviceLayout factory;
    factory.factory = true;
    test::DeviceLayout three;
    three.slots = 3;
    three.policy = ErasePolicy::kBlockAhead;
    test::DeviceLayout encrypted;
    encrypted.write_unit = 16;
    return {
        {.name = "confirm-sector-erase", .layout = sector, .image_size = 128 * 1024},
        {.name = "confirm-block-erase", .layout = block, .image_size = 128 * 1024},
        {.name = "confirm-from-factory", .layout = factory},
        {.name = "confirm-three-slots", .layout = three, .chunk = 1000},
        {.name = "confirm-write-unit-16", .layout = encrypted, .chunk = 777},
        {.name = "confirm-blank-slot", .layout = block, .used_slot = false},
        {.name = "confirm-blank-sectors-inside", .layout = sector, .blank_inside = true},
        {.name = "confirm-journal-changes-sector", .layout = sector, .filled_journal = 17},
        {.name = "confirm-journal-wraps", .layout = sector, .filled_journal = 69},
        {.name = "revert-crash", .layout = sector, .temper = Temper::kCrashes},
        {.name = "revert-hang", .layout = block, .temper = Temper::kHangs},
        {.name = "revert-unhealthy", .layout = sector, .temper = Temper::kUnhealthy},
        {.name = "revert-unhealthy-to-factory", .layout = factory, .temper = Temper::kUnhealthy},
        {.name = "rollback-after-confirmation", .layout = sector, .temper = Temper::kRolledBack},
        {.name = "refused-untrusted", .layout = block, .temper = Temper::kUntrusted},
        {.name = "confirm-second-cut", .layout = sector, .second_cut_every = 3},
        {.name = "revert-second-cut",
         .layout = block,
         .temper = Temper::kUnhealthy,
         .second_cut_every = 3},
    };
}

}  // namespace powercut
