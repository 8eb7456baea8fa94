// Dies of a bad pointer before the OTA manager starts.
#include <csignal>

#include "variant.hpp"

const Variant kVariant = {"crashing", [] { std::raise(SIGSEGV); },
                          [](unsigned) { return OTA_HEALTH_PENDING; }};
