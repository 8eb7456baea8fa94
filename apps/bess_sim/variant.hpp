#pragma once

#include "ota_manager_types.h"

// How one firmware of the twin differs from the next. Each variants/*.cpp is its own program.
struct Variant {
    const char* name;
    // Before the OTA manager starts; may never return.
    void (*at_start)();
    // Its health probe, asked with the milliseconds since the start.
    ota_health_t (*health)(unsigned milliseconds);
};
extern const Variant kVariant;
