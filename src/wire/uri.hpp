// URIs of scheme https and http (RFC 3986, RFC 9110 4.2). Pure text work, no policy.
#pragma once

#include "base/fixed.hpp"
#include "ports/source.hpp"

namespace ota {

using UriText = FixedString<kMaxUri>;

// Views into the text that was parsed.
struct UriParts {
    std::string_view scheme;     // "https" or "http", in any case
    std::string_view user_info;  // before the @; empty when there is none
    std::string_view host;       // IPv6 with its brackets
    std::string_view port;       // digits; empty when there are none
    std::string_view path;       // from the first slash; may be empty
    std::string_view query;      // with its question mark; empty when there is none

    bool is_https() const;
};

// An absolute URI with a host; a fragment is left out. False for anything else, and for control
// characters, blanks and bytes beyond ASCII.
bool parse_uri(std::string_view text, UriParts& out);

// Scheme, host and port are the same (RFC 6454 4), defaults filled in.
bool same_origin(const UriParts& a, const UriParts& b);

// Replaces an absolute URI without user information and fragment by what reference means relative
// to it (RFC 3986 5.2), likewise without user information and fragment. What is in the reference
// stays byte for byte, but for blanks and bytes beyond ASCII, which are percent-encoded. False, and
// uri undefined, when it is malformed or too long.
bool resolve_reference(UriText& uri, std::string_view reference);

// Undoes percent-encoding. False when out is too small or a sequence is malformed.
bool percent_decode(std::string_view text, FixedString<128>& out);

}  // namespace ota
