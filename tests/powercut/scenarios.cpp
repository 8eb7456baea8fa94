#include "powercut/scenarios.hpp"

#include <array>
#include <set>
#include <utility>

namespace powercut {
namespace {

// What varies between rows; a row is one value of each.
enum Factor {
    kTemper,
    kSlots,
    kFactory,
    kPolicy,
    kSlotBefore,
    kWriteUnit,
    kSource,
    kChunk,
    kPackage,
    kFactors
};
constexpr std::array<int, kFactors> kValues = {6, 2, 2, 2, 2, 2, 2, 2, 4};
using Row = std::array<int, kFactors>;
using Pair = std::pair<std::pair<int, int>, std::pair<int, int>>;

std::vector<Row> product() {
    std::vector<Row> rows = {Row{}};
    for (int factor = 0; factor < kFactors; ++factor) {
        std::vector<Row> longer;
        for (Row row : rows) {
            for (int value = 0; value < kValues[static_cast<size_t>(factor)]; ++value) {
                row[static_cast<size_t>(factor)] = value;
                longer.push_back(row);
            }
        }
        rows = longer;
    }
    return rows;
}

std::vector<Pair> pairs_of(const Row& row) {
    std::vector<Pair> pairs;
    for (int a = 0; a < kFactors; ++a) {
        for (int b = a + 1; b < kFactors; ++b) {
            pairs.push_back({{a, row[static_cast<size_t>(a)]}, {b, row[static_cast<size_t>(b)]}});
        }
    }
    return pairs;
}

// Greedy: always the row that brings the most pairs that were not there yet.
std::vector<Row> pairwise(const std::vector<Row>& all) {
    std::set<Pair> missing;
    for (const Row& row : all) {
        for (const Pair& pair : pairs_of(row)) missing.insert(pair);
    }
    std::vector<Row> chosen;
    while (!missing.empty()) {
        const Row* best = nullptr;
        size_t most = 0;
        for (const Row& row : all) {
            size_t gain = 0;
            for (const Pair& pair : pairs_of(row)) gain += missing.count(pair);
            if (gain > most) best = &row;
            most = std::max(most, gain);
        }
        for (const Pair& pair : pairs_of(*best)) missing.erase(pair);
        chosen.push_back(*best);
    }
    return chosen;
}

Scenario to_scenario(const Row& row) {
    constexpr std::array<const char*, 6> kTempers = {"good",      "crashes",    "hangs",
                                                     "unhealthy", "rolls-back", "untrusted"};
    constexpr std::array<const char*, 4> kPackages = {"", "/suit", "/suit+cfg", "/suit+enc"};
    const auto is = [&](Factor factor) { return row[factor] == 1; };
    Scenario out;
    out.temper = static_cast<Temper>(row[kTemper]);
    out.layout.slots = is(kSlots) ? 3 : 2;
    out.layout.factory = is(kFactory);
    out.layout.policy = is(kPolicy) ? ota::ErasePolicy::kBlockAhead : ota::ErasePolicy::kSector;
    out.used_slot = !is(kSlotBefore);
    out.layout.write_unit = is(kWriteUnit) ? 16 : 1;
    out.tagged = !is(kSource);
    out.chunk = is(kChunk) ? 777 : 4096;
    out.suit = row[kPackage] != 0;
    out.config = row[kPackage] == 2;
    out.encrypted = row[kPackage] == 3;
    out.name = std::string(kTempers[static_cast<size_t>(row[kTemper])]) +
               (is(kSlots) ? "/3" : "/2") + (is(kFactory) ? "f" : "") +
               (is(kPolicy) ? "/block" : "/sector") + (is(kSlotBefore) ? "/blank" : "/used") +
               (is(kWriteUnit) ? "/u16" : "/u1") + (is(kSource) ? "/card" : "/tagged") +
               (is(kChunk) ? "/odd" : "/even") + kPackages[static_cast<size_t>(row[kPackage])];
    return out;
}

std::vector<Scenario> hand_picked() {
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
    // An update of at most 100 flash operations.
    constexpr uint32_t kSmall = 12 * 1024;
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
        {.name = "confirm-suit", .layout = sector, .suit = true},
        {.name = "revert-crash-suit", .layout = block, .temper = Temper::kCrashes, .suit = true},
        {.name = "confirm-second-cut-suit", .layout = sector, .suit = true, .second_cut_every = 3},
        {.name = "confirm-suit-config", .layout = sector, .suit = true, .config = true},
        {.name = "confirm-suit-encrypted", .layout = block, .suit = true, .encrypted = true},
        {.name = "revert-crash-suit-config",
         .layout = block,
         .temper = Temper::kCrashes,
         .suit = true,
         .config = true},
        {.name = "rollback-suit-config",
         .layout = three,
         .temper = Temper::kRolledBack,
         .suit = true,
         .config = true},
        {.name = "confirm-second-cut-suit-config",
         .layout = sector,
         .suit = true,
         .config = true,
         .second_cut_every = 3},
        {.name = "confirm-modbus", .layout = sector, .via = Via::kModbus},
        {.name = "confirm-modbus-suit-config",
         .layout = block,
         .suit = true,
         .config = true,
         .via = Via::kModbus},
        {.name = "confirm-second-cut-modbus",
         .layout = sector,
         .via = Via::kModbus,
         .second_cut_every = 3},
        {.name = "confirm-can", .layout = block, .via = Via::kCan},
        {.name = "confirm-can-suit-config",
         .layout = sector,
         .suit = true,
         .config = true,
         .via = Via::kCan},
        {.name = "confirm-second-cut-can",
         .layout = sector,
         .via = Via::kCan,
         .second_cut_every = 3},
        {.name = "confirm-stream", .layout = sector, .via = Via::kStream},
        {.name = "revert-crash-stream-suit-config",
         .layout = block,
         .temper = Temper::kCrashes,
         .suit = true,
         .config = true,
         .via = Via::kStream},
        {.name = "refused-untrusted-stream",
         .layout = sector,
         .temper = Temper::kUntrusted,
         .via = Via::kStream},
        {.name = "confirm-second-cut-stream",
         .layout = sector,
         .via = Via::kStream,
         .second_cut_every = 3},
        {.name = "confirm-url", .layout = block, .via = Via::kUrl},
        {.name = "revert-unhealthy-url",
         .layout = sector,
         .temper = Temper::kUnhealthy,
         .via = Via::kUrl},
        {.name = "confirm-every-two-cuts",
         .layout = sector,
         .image_size = kSmall,
         .used_slot = false,
         .every_second_cut = true},
        {.name = "revert-every-two-cuts",
         .layout = sector,
         .image_size = kSmall,
         .temper = Temper::kUnhealthy,
         .used_slot = false,
         .every_second_cut = true},
    };
}

}  // namespace

std::vector<Scenario> all_scenarios(bool full) {
    std::vector<Scenario> scenarios = hand_picked();
    const std::vector<Row> all = product();
    for (const Row& row : full ? all : pairwise(all)) scenarios.push_back(to_scenario(row));
    return scenarios;
}

}  // namespace powercut
