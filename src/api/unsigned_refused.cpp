#include "api/config_check.hpp"

namespace ota {

bool unsigned_is_allowed() {
    return false;
}

}  // namespace ota
