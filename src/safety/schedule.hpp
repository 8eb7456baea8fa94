#pragma once

#include "ports/clock.hpp"
#include "wire/cbor.hpp"

namespace ota {

struct WaitState {
    UnixTime wall = 0;
    bool clock_is_set = false;
    bool authorized = false;
};

// Start points of a manifest's wait (draft-ietf-suit-update-management, wait info): all events have
// to have come. kTryAgain: not yet, also while the time of day is unknown. kIncompatible /
// kParameterUnknown for events that this device can't know.
Status wait_is_over(Bytes info, const WaitState& state);

// How long after its start point a time of day counts as come.
inline constexpr UnixTime kWindowLength = 7200;  // s

}  // namespace ota
