#pragma once

#include "push_peer.hpp"

namespace otactl {

// What the device is and does, as a table or JSON.
void show_peer(PushPeer& peer, bool json);

// "state of charge, current": what keeps an update from moving; empty: nothing.
std::string interlock_text(uint16_t bits);
// The sentence for the latest failure.
std::string detail_of(const PeerStatus& status);

}  // namespace otactl
