// What went wrong in the specification's twelve words.
#pragma once

#include "base/status.hpp"

namespace ota {

// Same order as ota_error_t; also the ERROR value on the field buses.
enum class ErrorKind : uint8_t {
    kNone,
    kNoUpdates,
    kConnectivity,
    kServer,
    kAuthentication,
    kInsufficientSpace,
    kValidationFailed,
    kFlashWrite,
    kIncompatibleVersion,
    kBatteryLow,
    kBmsUnsafe,
    kInternal,
};

ErrorKind error_kind(Status status);

}  // namespace ota
