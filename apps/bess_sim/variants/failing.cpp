// Starts, and finds at once that it can't do its work.
#include "variant.hpp"

const Variant kVariant = {"failing", [] {}, [](unsigned) { return OTA_HEALTH_FAIL; }};
