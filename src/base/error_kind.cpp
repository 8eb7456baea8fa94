#include "base/error_kind.hpp"

namespace ota {
namespace {

// A closed gate: the charge is the operator's to mend, everything else is the BMS's.
ErrorKind unsafe_error(Detail detail) {
    return detail == Detail::kSocLow ? ErrorKind::kBatteryLow : ErrorKind::kBmsUnsafe;
}

}  // namespace

ErrorKind error_kind(Status status) {
    switch (status.code()) {
        case Code::kOk:
            return ErrorKind::kNone;
        case Code::kNoUpdate:
            return ErrorKind::kNoUpdates;
        case Code::kTryAgain:
        case Code::kCancelled:
            return ErrorKind::kNone;
        case Code::kTimeout:
        case Code::kUnavailable:
        case Code::kEndOfData:
            return ErrorKind::kConnectivity;
        case Code::kRefused:
            return status.origin() == Origin::kSource ? ErrorKind::kServer : ErrorKind::kInternal;
        case Code::kUnauthenticated:
            return ErrorKind::kAuthentication;
        case Code::kBusy:
            return ErrorKind::kServer;
        case Code::kUntrusted:
            // A server that can't prove itself, not a package.
            return status.origin() == Origin::kSource ? ErrorKind::kAuthentication
                                                      : ErrorKind::kValidationFailed;
        case Code::kMalformed:
            return ErrorKind::kValidationFailed;
        case Code::kIncompatible:
            return ErrorKind::kIncompatibleVersion;
        case Code::kNoSpace:
            return ErrorKind::kInsufficientSpace;
        case Code::kUnsafe:
            return unsafe_error(status.detail());
        case Code::kStorage:
            return ErrorKind::kFlashWrite;
        case Code::kOutOfRange:
        case Code::kInternal:
            return ErrorKind::kInternal;
    }
    return ErrorKind::kInternal;
}

}  // namespace ota
