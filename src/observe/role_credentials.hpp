// Temporary credentials of AWS for a device certificate, by a role alias (AWS IoT developer guide,
// "Authorizing direct calls to AWS services").
#pragma once

#include "base/secret_text.hpp"
#include "base/status.hpp"
#include "ports/http_client.hpp"

namespace ota {

// Wiped when they are replaced or given up; no formatter takes them.
struct RoleCredentials {
    SecretText<128> id;
    SecretText<128> secret;
    SecretText<2048> token;
    UnixTime expires = 0;

    void clear();
    bool is_set() const { return !id.empty(); }
    // Is it time for others? Five minutes before the end, but not before a fifth of their life is
    // left to those that live for a short time.
    bool are_stale(UnixTime now, UnixTime since) const;
};

// The answer of the credentials provider. kMalformed / kJsonForm; kNoSpace: longer than what is
// held. out is cleared then.
Status parse_role_credentials(std::string_view json, RoleCredentials& out);

}  // namespace ota
