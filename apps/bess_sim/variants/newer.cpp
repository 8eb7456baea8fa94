// Works, and takes a moment to find out that it does: its cell voltages settle first.
#include "variant.hpp"

const Variant kVariant = {"newer", [] {},
                          [](unsigned milliseconds) {
                              return milliseconds < 500 ? OTA_HEALTH_PENDING : OTA_HEALTH_PASS;
                          }};
