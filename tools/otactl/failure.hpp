#pragma once

#include <stdexcept>
#include <string>

#include "base/status_text.hpp"

namespace otactl {

// Exit codes of every command; --help lists them.
enum class Exit : int {
    kOk = 0,
    kUsage = 2,
    kMalformed = 3,  // a file does not follow its format
    kUntrusted = 4,  // no valid signature by a trusted key, or a wrong digest
    kRefused = 5,    // well formed and trusted, but not by policy or not for this device
    kIo = 6,         // a file can't be read or written
    kPeer = 7,       // the other side of a link failed
};

// Ends a command with its message and exit code.
class Failure : public std::runtime_error {
  public:
    Failure(Exit code, const std::string& message) : std::runtime_error(message), code_(code) {}
    Exit code() const { return code_; }

  private:
    Exit code_;
};

inline Exit exit_for(ota::Status status) {
    switch (status.code()) {
        case ota::Code::kUntrusted:
        case ota::Code::kUnauthenticated:
            return Exit::kUntrusted;
        case ota::Code::kIncompatible:
        case ota::Code::kNoUpdate:
        case ota::Code::kNoSpace:
        case ota::Code::kRefused:
            return Exit::kRefused;
        case ota::Code::kStorage:
        case ota::Code::kUnavailable:
            return Exit::kIo;
        default:
            return Exit::kMalformed;
    }
}

// The same for a finding that a device tells by its number alone.
inline Exit exit_of(ota::Detail detail) {
    switch (detail) {
        case ota::Detail::kSignatureUntrusted:
        case ota::Detail::kSignatureMissing:
        case ota::Detail::kSignatureBlock:
        case ota::Detail::kSignatureDigest:
        case ota::Detail::kManifestSignature:
        case ota::Detail::kManifestDigest:
        case ota::Detail::kExpectedSha256:
        case ota::Detail::kImageDigest:
            return Exit::kUntrusted;
        default:
            return Exit::kRefused;
    }
}

// Throws when status is not ok.
inline void require(ota::Status status, const std::string& subject) {
    if (!status.ok()) throw Failure(exit_for(status), subject + ": " + ota::status_text(status));
}

}  // namespace otactl
