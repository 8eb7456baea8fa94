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

// What the device is and does, as a table or JSON.
void show_peer(PushPeer& peer, bool json);

// "state of charge, current": what keeps an update from moving; empty: nothing.
std::string interlock_text(uint16_t bits);

}  // namespace otactl
