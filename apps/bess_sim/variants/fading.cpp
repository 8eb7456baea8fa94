// Looks well at first and turns out unhealthy before it is confirmed.
#include "variant.hpp"

const Variant kVariant = {"fading", [] {},
                          [](unsigned milliseconds) {
                              return milliseconds < 1500 ? OTA_HEALTH_PENDING : OTA_HEALTH_FAIL;
                          }};
