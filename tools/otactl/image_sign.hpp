#pragma once

#include "keys.hpp"

namespace otactl {

// Adds a Secure Boot v2 signature block by key. Starts a new signature sector, or with append fills
// the next of the three blocks of the one that is there.
Buffer sign_image(const Buffer& image, PrivateKey& key, bool append);

}  // namespace otactl
