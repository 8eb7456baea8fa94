#pragma once

#include <string>
#include <vector>

#include "support/device.hpp"

namespace powercut {

// How the new image behaves when it runs.
enum class Temper {
    kGood,
    kCrashes,
    kHangs,
    kUnhealthy,
    kRolledBack,  // good, and an operator goes back to the old one all the same
    kUntrusted,   // signed by somebody else: never runs
};

// Who brings the package.
enum class Via { kSource, kModbus, kCan, kStream, kUrl };  // the last two: by a job of AWS IoT

// One update whose every flash operation loses power once. A package or source joins by a line in
// scenarios.cpp.
struct Scenario {
    std::string name;
    test::DeviceLayout layout;
    uint32_t image_size = 64 * 1024;
    Temper temper = Temper::kGood;
    bool suit =
        false;  // the package is a SUIT envelope; untrusted is then another payload than signed
    bool config = false;     // and brings a configuration; the old image has one, too
    bool encrypted = false;  // the image in it is encrypted
    bool tagged = true;  // the source has entity tags and a proven time, as HTTPS; else as a card
    Via via = Via::kSource;
    bool used_slot = true;      // the standby slot holds an older image already
    bool blank_inside = false;  // the image has sectors that look erased
    uint32_t filled_journal =
        0;                // records in the journal before, so that it changes sector on the way
    size_t chunk = 4096;  // what the source gives at a time
    uint32_t second_cut_every = 0;  // n > 0: after every n-th cut a second one in the recovery
    bool every_second_cut = false;  // each cut with each cut of its recovery
};

// Hand-picked ones, and rows over the factors below: a pairwise covering array (each two values of
// any two factors meet in a row), or with full the whole product.
std::vector<Scenario> all_scenarios(bool full);

}  // namespace powercut
