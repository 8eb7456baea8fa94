#pragma once

#include "verify/admission.hpp"
#include "wire/cbor.hpp"

namespace ota {

// Is a package with this signed sequence number newer than what was confirmed, under the number
// highest? kIncompatible / kSequenceNumber for an older one, and for another package under the same
// number; kNoUpdate / kVersionSame for the very package that was confirmed.
Status check_sequence(uint64_t sequence, const Digest& manifest, uint64_t highest,
                      const Digest& confirmed);

// draft-ietf-suit-update-management, condition version: match is [operator, [+int]].
Result<bool> version_matches(Bytes match, std::string_view running);

// The text of a [+int] version with three numbers; longer and pre-release forms as well.
Status version_text(Bytes version, VersionText& out);

}  // namespace ota
