// Stops in an endless loop before the OTA manager starts; only the watchdog helps.
#include <unistd.h>

#include "variant.hpp"

const Variant kVariant = {"hanging",
                          [] {
                              while (true) pause();
                          },
                          [](unsigned) { return OTA_HEALTH_PENDING; }};
