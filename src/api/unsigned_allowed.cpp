// For development builds on the bench alone (OTA_ALLOW_UNSIGNED): whoever controls the HTTPS server
// controls the device.
#include "api/config_check.hpp"

namespace ota {

bool unsigned_is_allowed() {
    return true;
}

}  // namespace ota
