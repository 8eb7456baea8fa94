#pragma once

#include "push_peer.hpp"

namespace otactl {

struct PushOptions {
    std::string package;
    AccessKey access;
    OpenOptions open;
    bool apply = false;
    unsigned patience = 60;  // s without the device before it is given up
    bool json = false;
    bool quiet = false;
};

// Pushes the package and, if asked, applies it and waits for the new version. Shows progress. The
// same again goes on where it was, whatever ended it.
void push(PushPeer& peer, const PushOptions& options);

}  // namespace otactl
