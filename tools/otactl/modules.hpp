// The module boards on a CAN bus, as a table.
#pragma once

#include <string>

#include "can_peer.hpp"

namespace otactl {

struct ModulesOptions {
    CanPlace place;  // interface, rate; the identifiers are the boards' own
    unsigned first = 0x21;
    unsigned count = 12;
    std::string image;  // that they should run; empty: whichever
    bool json = false;
};

// Throws Failure kPeer when none answers, kRefused when one runs another image than it should.
void show_modules(const ModulesOptions& options);

}  // namespace otactl
